#include <bursar/base/clock.h>

#include <gtest/gtest.h>

#include <chrono>

namespace bursar {
namespace {

TEST(MonotonicClockTest, TellsTheTimeOfTheSteadyClock) {
  const auto before = std::chrono::steady_clock::now();
  const auto now = monotonic_clock().now();
  const auto after = std::chrono::steady_clock::now();
  EXPECT_LE(before, now);
  EXPECT_LE(now, after);
}

TEST(MonotonicClockTest, SleepsUntilTheGivenTime) {
  const auto until = monotonic_clock().now() + std::chrono::microseconds(1500);
  monotonic_clock().sleep_until(until);
  EXPECT_GE(monotonic_clock().now(), until);
}

TEST(MonotonicClockTest, ATimeThatHasPassedIsNoSleep) {
  // The epoch and before it: the kernel refuses negative times, and the call returns all the same.
  monotonic_clock().sleep_until(Clock::TimePoint{});
  monotonic_clock().sleep_until(Clock::TimePoint(std::chrono::nanoseconds(-1)));
}

}  // namespace
}  // namespace bursar
