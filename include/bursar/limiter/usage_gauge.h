#pragma once

#include <bursar/limiter/memory_sensor.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace bursar {

// Measures: the greatest figure of several sensors. A sensor that fails keeps its last good figure for a while, so that
// one bad reading neither hides a danger nor makes one up; one that goes on failing is left out until it answers again,
// so that a process is not held back for ever by a figure that nobody can read any more.
//
// Thread-safety: one thread at a time. Allocates: what the sensors do. Blocks: what they do.
class UsageGauge {
 public:
  // A sensor's last good figure holds for `tolerated_failures` failures in a row.
  UsageGauge(std::vector<MemorySensor> sensors, std::size_t tolerated_failures);

  // The greatest figure in bytes, or nothing where no sensor has one. A sensor that throws has failed.
  [[nodiscard]] std::optional<std::uint64_t> sense() noexcept;

  // How many single readings have failed so far.
  [[nodiscard]] std::uint64_t failed_readings() const noexcept { return failed_readings_; }

 private:
  struct Source {
    MemorySensor sensor;
    std::optional<std::uint64_t> last_good;
    std::size_t failures_in_a_row = 0;
  };

  std::vector<Source> sources_;
  std::size_t tolerated_failures_;
  std::uint64_t failed_readings_ = 0;
};

}  // namespace bursar
