#pragma once

#include <bursar/base/clock.h>

#include <chrono>
#include <functional>

namespace bursar {

// Time that passes only when told to, and at once for whoever sleeps.
class FakeClock final : public Clock {
 public:
  TimePoint now() const noexcept override { return now_; }
  void sleep_until(TimePoint time) noexcept override {
    ++sleeps;
    if (time > now_) now_ = time;
    if (on_sleep) on_sleep();
  }
  void advance(std::chrono::nanoseconds time) noexcept { now_ += time; }

  int sleeps = 0;
  std::function<void()> on_sleep;  // called once a sleep is over

 private:
  TimePoint now_{std::chrono::hours(1)};
};

}  // namespace bursar
