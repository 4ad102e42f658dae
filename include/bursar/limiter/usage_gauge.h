#pragma once

#include <bursar/base/clock.h>
#include <bursar/limiter/memory_sensor.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <vector>

namespace bursar {

// Measures: the greatest figure of several sensors. A sensor that fails keeps its last good figure for a while, so that
// one bad reading neither hides a danger nor makes one up; one that goes on failing is left out until it answers again,
// so that a process is not held back for ever by a figure that nobody can read any more.
//
// Thread-safety: one thread at a time. Allocates: what the sensors do. Blocks: what they do.
class UsageGauge {
 public:
  // How it stands with a sensor.
  enum class Health : std::uint8_t {
    Good,
    Failing,  // its last good figure counts
    Lost,     // it does not count
  };
  // A sensor whose health was another one before the last `sense`.
  struct Change {
    const std::string* sensor;  // its name, which lives as long as the gauge
    Health health;
    std::error_code error;  // of the last failed reading
  };

  // A sensor's last good figure holds until one of its readings fails this long after the last good one.
  UsageGauge(std::vector<MemorySensor> sensors, std::chrono::nanoseconds last_figure_holds);

  // The greatest figure in bytes, or nothing where no sensor has one. A sensor that throws has failed.
  [[nodiscard]] std::optional<std::uint64_t> sense(Clock::TimePoint now) noexcept;

  // What the last `sense` changed.
  [[nodiscard]] std::span<const Change> changes() const noexcept { return changes_; }

  // How many single readings have failed so far.
  [[nodiscard]] std::uint64_t failed_readings() const noexcept { return failed_readings_; }

 private:
  struct Source {
    MemorySensor sensor;
    std::optional<std::uint64_t> last_good;
    Clock::TimePoint last_good_at;
    Health health = Health::Good;
  };

  void sense(Source& source, Clock::TimePoint now) noexcept;
  void become(Source& source, Health health, std::error_code error) noexcept;

  std::vector<Source> sources_;
  std::chrono::nanoseconds last_figure_holds_;
  std::vector<Change> changes_;  // has room for one of each source
  std::uint64_t failed_readings_ = 0;
};

}  // namespace bursar
