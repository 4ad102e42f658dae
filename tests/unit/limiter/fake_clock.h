#pragma once

#include <bursar/base/clock.h>

#include <chrono>

namespace bursar {

// Time that passes only when told to, and at once for whoever sleeps.
class FakeClock final : public Clock {
 public:
  TimePoint now() const noexcept override { return now_; }
  void sleep_until(TimePoint time) noexcept override {
    ++sleeps;
    if (time > now_) now_ = time;
  }
  void advance(std::chrono::nanoseconds time) noexcept { now_ += time; }

  int sleeps = 0;

 private:
  TimePoint now_{std::chrono::hours(1)};
};

}  // namespace bursar
