#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "protocol/drop_reason.h"

namespace bursar::statsd {

// Tells of lines that were dropped, one log line a second at most, however many there are: the first is shown, the
// others are counted in the next log line.
//
// Thread-safety: belongs to one thread. Allocates: for a line that is written. Blocks: as the log does.
class BadInputLog {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::seconds kInterval{1};

  explicit BadInputLog(std::function<void(std::string_view)> write) : write_(std::move(write)) {}

  void report(std::string_view source, DropReason reason, std::string_view line, TimePoint now);

 private:
  std::function<void(std::string_view)> write_;
  std::optional<TimePoint> last_;
  std::uint64_t untold_ = 0;
};

}  // namespace bursar::statsd
