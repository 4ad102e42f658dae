#include "log/bad_input_log.h"

#include <fmt/format.h>

#include <bursar/base/in_quotes.h>

namespace bursar::statsd {

void BadInputLog::report(std::string_view source, DropReason reason, std::string_view line, TimePoint now) {
  if (last_ && now - *last_ < kInterval) {
    ++untold_;
    return;
  }
  std::string text = fmt::format("dropped a line from {}: {}: {}", source, to_string(reason), in_quotes(line));
  if (untold_ > 0) text += fmt::format(" (and {} other lines since the last report)", untold_);
  last_ = now;
  untold_ = 0;
  write_(text);
}

}  // namespace bursar::statsd
