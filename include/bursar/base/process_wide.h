#pragma once

// Declares a variable of which a process has one, however many of its libraries contain Bursar: the copies carry the
// same name, are visible to the dynamic linker, and are unified by it. What GCC compiles is unified even between
// libraries that are opened apart from each other (STB_GNU_UNIQUE), and such a library is never unloaded; otherwise the
// executable's copy has to be visible, which `bursar::bursar` asks of its linker. To be used in `extern "C"`, with a
// name that begins with `bursar_1_`: the number changes whenever the layout of any of them does, and copies of another
// layout stay apart.
#define BURSAR_PROCESS_WIDE [[gnu::visibility("default")]] inline constinit
