#include "log/log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <ctime>
#include <string>
#include <utility>

namespace bursar::statsd {
namespace {

constexpr std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "?";
}

void write_to_standard_error(std::string_view rest) {
  while (!rest.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, rest.data(), rest.size());
    if (written <= 0) return;  // nobody reads the log
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

LogSink& log_sink() {
  static LogSink sink;
  return sink;
}

}  // namespace

void log(LogLevel level, std::string_view message) {
  const auto now = std::chrono::system_clock::now();
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
  std::tm time{};
  ::gmtime_r(&seconds, &time);
  const std::string line = fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z {} {}\n", time, millis, name_of(level), message);
  if (LogSink& sink = log_sink()) {
    sink(line);
  } else {
    write_to_standard_error(line);
  }
}

void set_log_sink(LogSink sink) {
  log_sink() = std::move(sink);
}

}  // namespace bursar::statsd
