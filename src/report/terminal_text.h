#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace bursar::report_detail {

// A name from outside, fit for a terminal: one line, without a byte that the terminal would obey. What controls it, or
// changes the direction of what follows, is shown as "\x1b" or U+FFFD; what is not valid UTF-8 as U+FFFD.
[[nodiscard]] std::string terminal_text(std::string_view text);

// How many columns a text takes that `terminal_text` has made, or that is plain.
[[nodiscard]] std::size_t columns_of(std::string_view text) noexcept;

// The text cut to `columns`, with "…" in place of its end where something was cut off.
[[nodiscard]] std::string fit_into(std::string_view text, std::size_t columns);

}  // namespace bursar::report_detail
