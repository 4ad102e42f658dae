#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace bursar::statsd {

enum class LogLevel : std::uint8_t { kInfo, kWarning, kError };

// Writes one line to standard error, with the time (UTC) and the level in front. What is not printable in `message`
// should have been quoted; a newline in it begins a further line without a head.
//
// Thread-safety: yes; a line is one write. Allocates: the line. Blocks: where standard error does.
void log(LogLevel level, std::string_view message);

// Takes whole lines, their newline included, in place of standard error; for whoever draws on the same terminal.
using LogSink = std::function<void(std::string_view line)>;

// An empty one stands for standard error. REQUIRES: no other thread logs meanwhile.
void set_log_sink(LogSink sink);

}  // namespace bursar::statsd
