#pragma once

#include <chrono>

namespace bursar {

// Time that comes in from outside, so that tests can let it pass.
//
// Thread-safety: implementations are called from any thread. Allocates: no. Blocks: `sleep_until` does.
class Clock {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  [[nodiscard]] virtual TimePoint now() const noexcept = 0;

  // Returns at `time` or a little later, whatever signals arrive meanwhile.
  virtual void sleep_until(TimePoint time) noexcept = 0;

  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;

 protected:
  Clock() = default;
  ~Clock() = default;
};

// The operating system's monotonic clock; its times are those of std::chrono::steady_clock.
[[nodiscard]] Clock& monotonic_clock() noexcept;

}  // namespace bursar
