#include <bursar/limiter/memory_limiter.h>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include "unit/limiter/limiter_fixture.h"
#include "unit/limiter/temporary_folder.h"

namespace bursar {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

struct FakeStop {
  [[nodiscard]] bool stop_requested() const { return clock->now() >= at; }
  const FakeClock* clock;
  Clock::TimePoint at;
};

TEST_F(LimiterTest, WithoutPressureNobodyWaits) {
  usage = 949;
  const MemoryLimiter limiter = create(options());
  const auto before = clock.now();
  limiter.wait_for_capacity();
  EXPECT_EQ(clock.now(), before);
  EXPECT_EQ(clock.sleeps, 0);
  EXPECT_EQ(limiter.waits_total(), 0u);
  EXPECT_EQ(limiter.state(), LimiterState::Normal);
}

TEST_F(LimiterTest, TheFirstReadingIsInForceFromTheStart) {
  usage = 1000;
  const MemoryLimiter limiter = create(options());
  EXPECT_EQ(limiter.state(), LimiterState::Hard);
  EXPECT_EQ(limiter.active_backoff(), milliseconds(25));
  EXPECT_EQ(limiter.usage_bytes(), 1000u);
  EXPECT_EQ(limiter.effective_limit_bytes(), kLimitBytes);
}

TEST_F(LimiterTest, AWaitTakesTheBackoffThatIsInForce) {
  usage = 975;
  const MemoryLimiter limiter = create(options());
  const auto before = clock.now();
  limiter.wait_for_capacity();
  EXPECT_EQ(clock.now() - before, milliseconds(13));
  EXPECT_EQ(limiter.waits_total(), 1u);
}

TEST_F(LimiterTest, EachPollPublishesWhatUsageIsThen) {
  const MemoryLimiter limiter = create(options());
  usage = 960;
  EXPECT_EQ(limiter.active_backoff(), nanoseconds(0));
  limiter.poll();
  EXPECT_EQ(limiter.active_backoff(), microseconds(5800));
  EXPECT_EQ(limiter.state(), LimiterState::Soft);
  usage = 900;
  limiter.poll();
  EXPECT_EQ(limiter.active_backoff(), nanoseconds(0));
  EXPECT_EQ(limiter.state(), LimiterState::Normal);
}

TEST_F(LimiterTest, WorkIsShedInHardOnly) {
  usage = 999;
  const MemoryLimiter limiter = create(options());
  EXPECT_FALSE(limiter.should_shed());
  usage = 1000;
  limiter.poll();
  EXPECT_TRUE(limiter.should_shed());
}

TEST_F(LimiterTest, TheLimitIsTheGrantsEffectiveOne) {
  usage = 750;
  const auto limiter = MemoryLimiter::create(MemoryGrant::with_slop_factor(1000, 0.25).value(), options());
  ASSERT_TRUE(limiter);
  EXPECT_EQ(limiter->effective_limit_bytes(), 750u);
  EXPECT_EQ(limiter->state(), LimiterState::Hard);
}

TEST_F(LimiterTest, SamplingIsSlowWhileUsageStandsStill) {
  usage = 940;
  const MemoryLimiter limiter = create(options());
  clock.advance(milliseconds(20));
  EXPECT_EQ(limiter.poll(), milliseconds(20));
}

TEST_F(LimiterTest, SamplingIsFastWhileUsageRunsIntoTheLimit) {
  usage = 900;
  const MemoryLimiter limiter = create(options());
  clock.advance(milliseconds(20));
  usage = 940;
  EXPECT_EQ(limiter.poll(), microseconds(3750));
  clock.advance(microseconds(3750));
  usage = 960;
  EXPECT_EQ(limiter.poll(), milliseconds(1));
}

TEST_F(LimiterTest, AWaitEndsOnceNobodyHasToWait) {
  usage = 1000;
  MemoryLimiter limiter = create(options());
  clock.on_sleep = [&] {
    usage = 100;
    limiter.poll();
  };
  const auto before = clock.now();
  EXPECT_TRUE(limiter.wait_for_capacity(before + std::chrono::hours(1)));
  EXPECT_EQ(clock.now() - before, milliseconds(5));
}

TEST_F(LimiterTest, AStopEndsAWait) {
  usage = 1000;
  const MemoryLimiter limiter = create(options());
  const auto before = clock.now();
  EXPECT_FALSE(limiter.wait_for_capacity(FakeStop{.clock = &clock, .at = before + milliseconds(3)}));
  EXPECT_EQ(clock.now() - before, milliseconds(3));
}

TEST_F(LimiterTest, AWaitThatNobodyStopsTakesItsTime) {
  usage = 1000;
  const MemoryLimiter limiter = create(options());
  const auto before = clock.now();
  EXPECT_TRUE(limiter.wait_for_capacity(FakeStop{.clock = &clock, .at = before + milliseconds(26)}));
  EXPECT_EQ(clock.now() - before, milliseconds(25));
}

TEST_F(LimiterTest, ADeadlineEndsAWait) {
  usage = 1000;
  const MemoryLimiter limiter = create(options());
  const auto before = clock.now();
  EXPECT_FALSE(limiter.wait_for_capacity(before + milliseconds(4)));
  EXPECT_EQ(clock.now() - before, milliseconds(4));
  EXPECT_TRUE(limiter.wait_for_capacity(clock.now() + milliseconds(25)));
}

TEST_F(LimiterTest, ADeadlineThatHasPassedIsNoWait) {
  usage = 1000;
  const MemoryLimiter limiter = create(options());
  EXPECT_FALSE(limiter.wait_for_capacity(clock.now() - milliseconds(1)));
  EXPECT_EQ(clock.sleeps, 0);
}

TEST_F(LimiterTest, StopAndDeadlineWorkTogether) {
  usage = 1000;
  const MemoryLimiter limiter = create(options());
  const auto before = clock.now();
  EXPECT_FALSE(
      limiter.wait_for_capacity(FakeStop{.clock = &clock, .at = before + milliseconds(9)}, before + milliseconds(5)));
  EXPECT_EQ(clock.now() - before, milliseconds(5));
}

TEST_F(LimiterTest, AWaitLooksAgainWhereTheLastLookIsOld) {
  usage = 1000;
  const MemoryLimiter limiter = create(options());
  usage = 960;
  clock.advance(microseconds(1001));
  EXPECT_EQ(limiter.begin_wait(), microseconds(5800));
}

TEST_F(LimiterTest, AWaitDoesNotLookAgainWhereTheLastLookIsFresh) {
  usage = 1000;
  const MemoryLimiter limiter = create(options());
  const int before = readings;
  usage = 960;
  clock.advance(milliseconds(1));
  EXPECT_EQ(limiter.begin_wait(), milliseconds(25));
  EXPECT_EQ(readings, before);
}

TEST_F(LimiterTest, PressureThatAFreshLookFindsGoneIsNoWait) {
  usage = 1000;
  const MemoryLimiter limiter = create(options());
  usage = 100;
  clock.advance(milliseconds(2));
  limiter.wait_for_capacity();
  EXPECT_EQ(clock.sleeps, 0);
  EXPECT_EQ(limiter.waits_total(), 0u);
}

TEST_F(LimiterTest, AWaitIsFairWhileThereIsRoomForIt) {
  double share = 4.0;
  MemoryLimiterOptions fair = options();
  fair.bound_share = [&share] { return std::optional(share); };
  usage = 975;
  const MemoryLimiter limiter = create(std::move(fair));
  ASSERT_EQ(limiter.begin_wait(), milliseconds(13));
  share = 0.5;
  static_cast<void>(limiter.begin_wait());  // pays for the time before
  EXPECT_EQ(limiter.begin_wait(), nanoseconds(0));
  usage = 989;
  limiter.poll();
  EXPECT_EQ(limiter.begin_wait(), nanoseconds(0));
  usage = 990;
  limiter.poll();
  EXPECT_EQ(limiter.begin_wait(), microseconds(20200));
}

TEST_F(LimiterTest, WaitsByATimerOfTheCallersOwnAreCounted) {
  usage = 950;
  const MemoryLimiter limiter = create(options());
  EXPECT_EQ(limiter.begin_wait(), milliseconds(1));
  EXPECT_EQ(limiter.waits_total(), 1u);
}

TEST_F(LimiterTest, AFailedReadingKeepsThePressureAndIsCounted) {
  usage = 1000;
  const MemoryLimiter limiter = create(options());
  usage.reset();
  limiter.poll();
  EXPECT_EQ(limiter.active_backoff(), milliseconds(25));
  EXPECT_EQ(limiter.usage_bytes(), 1000u);
  EXPECT_EQ(limiter.failed_readings_total(), 1u);
}

TEST_F(LimiterTest, ReadingsThatGoOnFailingReleaseEverybody) {
  usage = 1000;
  MemoryLimiterOptions forgetful = options();
  forgetful.last_figure_holds = milliseconds(3);
  const MemoryLimiter limiter = create(std::move(forgetful));
  usage.reset();
  clock.advance(milliseconds(3) - nanoseconds(1));
  limiter.poll();
  EXPECT_EQ(limiter.state(), LimiterState::Hard);
  clock.advance(nanoseconds(1));
  limiter.poll();
  EXPECT_EQ(limiter.state(), LimiterState::Normal);
  EXPECT_EQ(limiter.active_backoff(), nanoseconds(0));
  EXPECT_EQ(limiter.usage_bytes(), std::nullopt);
  usage = 1000;
  limiter.poll();
  EXPECT_EQ(limiter.state(), LimiterState::Hard);
}

TEST_F(LimiterTest, ObservingSaysEverythingAndHoldsNobodyBack) {
  usage = 1000;
  MemoryLimiterOptions observing = options();
  observing.mode = LimiterMode::Observe;
  const MemoryLimiter limiter = create(std::move(observing));
  limiter.wait_for_capacity();
  EXPECT_EQ(clock.sleeps, 0);
  EXPECT_FALSE(limiter.should_shed());
  EXPECT_EQ(limiter.begin_wait(), nanoseconds(0));
  EXPECT_EQ(limiter.waits_total(), 2u);
  EXPECT_EQ(limiter.active_backoff(), milliseconds(25));
  EXPECT_EQ(limiter.state(), LimiterState::Hard);
}

TEST_F(LimiterTest, SwitchedOffItMeasuresNothing) {
  usage = 1000;
  MemoryLimiterOptions off = options();
  off.mode = LimiterMode::Off;
  const MemoryLimiter limiter = create(std::move(off));
  EXPECT_EQ(limiter.mode(), LimiterMode::Off);
  EXPECT_EQ(readings, 0);
  EXPECT_EQ(limiter.state(), LimiterState::Normal);
}

TEST_F(LimiterTest, NoopNeverLimits) {
  const MemoryLimiter limiter = MemoryLimiter::noop();
  limiter.wait_for_capacity();
  EXPECT_TRUE(limiter.wait_for_capacity(Clock::TimePoint{}));
  EXPECT_EQ(limiter.begin_wait(), nanoseconds(0));
  EXPECT_EQ(limiter.active_backoff(), nanoseconds(0));
  EXPECT_EQ(limiter.state(), LimiterState::Normal);
  EXPECT_FALSE(limiter.should_shed());
  EXPECT_EQ(limiter.usage_bytes(), std::nullopt);
  EXPECT_EQ(limiter.effective_limit_bytes(), std::nullopt);
  EXPECT_EQ(limiter.mode(), LimiterMode::Off);
}

TEST_F(LimiterTest, MovingTakesThePressureAlong) {
  usage = 1000;
  MemoryLimiter limiter = create(options());
  MemoryLimiter moved(std::move(limiter));
  EXPECT_EQ(moved.active_backoff(), milliseconds(25));
  MemoryLimiter assigned = MemoryLimiter::noop();
  assigned = std::move(moved);
  EXPECT_EQ(assigned.state(), LimiterState::Hard);
  assigned.wait_for_capacity();
  EXPECT_EQ(assigned.waits_total(), 1u);
}

TEST_F(LimiterTest, WhatWasMovedFromNeverLimits) {
  usage = 1000;
  MemoryLimiter limiter = create(options());
  const MemoryLimiter moved(std::move(limiter));
  limiter.wait_for_capacity();  // NOLINT(bugprone-use-after-move): that this is fine is the claim
  EXPECT_EQ(clock.sleeps, 0);
  EXPECT_EQ(limiter.mode(), LimiterMode::Off);
}

TEST_F(LimiterTest, APolicyCanBeReplaced) {
  MemoryLimiterOptions strict = options();
  strict.policy = [](const MemoryReading& reading) {
    return LimiterDecision{.state = LimiterState::Soft,
                           .backoff = nanoseconds(reading.limit_bytes - reading.usage_bytes)};
  };
  usage = 958;
  const MemoryLimiter limiter = create(std::move(strict));
  EXPECT_EQ(limiter.state(), LimiterState::Soft);
  EXPECT_EQ(limiter.active_backoff(), nanoseconds(42));
}

TEST_F(LimiterTest, ANegativeBackoffIsNone) {
  MemoryLimiterOptions odd = options();
  odd.policy = [](const MemoryReading&) { return LimiterDecision{.backoff = nanoseconds(-1)}; };
  EXPECT_EQ(create(std::move(odd)).active_backoff(), nanoseconds(0));
}

TEST_F(LimiterTest, WithoutSensorsTheResidentSizeIsMeasured) {
  MemoryLimiterOptions resident = options();
  resident.usage_sensors.clear();
  const TemporaryFolder system;
  system.write("/proc/self/statm", "1000 1 0 0 0 0 0\n");
  resident.system_root = system.path();
  const MemoryLimiter limiter = create(std::move(resident), 1 << 30);
  EXPECT_EQ(limiter.usage_bytes(), static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)));
}

TEST_F(LimiterTest, StatisticsThatCannotBeReadAreAnError) {
  const TemporaryFolder system;
  MemoryLimiterOptions blind = options();
  blind.usage_sensors.clear();
  blind.system_root = system.path();
  EXPECT_EQ(error_of(std::move(blind)), "cannot open " + system.path() + "/proc/self/statm: No such file or directory");
}

TEST_F(LimiterTest, SensorsWithoutAFigureAreAnError) {
  usage.reset();
  EXPECT_EQ(error_of(options()),
            "none of the limiter's usage sensors (1) gives a figure; at least one should give the bytes in use");
}

TEST_F(LimiterTest, ALimitOfZeroIsAnError) {
  EXPECT_EQ(error_of(options(), 0), "the effective memory limit is 0 B; it should be 1 B at least");
}

TEST_F(LimiterTest, OptionsThatMakeNoSenseAreErrorsWithTheirValues) {
  MemoryLimiterOptions intervals = options();
  intervals.fast_interval = nanoseconds(0);
  EXPECT_EQ(
      error_of(std::move(intervals)),
      "the limiter's sampling intervals are 0 ns and 20000000 ns; the fast one should be above 0 and the slow one "
      "no shorter");
  MemoryLimiterOptions share = options();
  share.cpu_share = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(error_of(std::move(share)), "the limiter's share of a core is nan; it should be above 0");
  MemoryLimiterOptions target = options();
  target.reclaim_to = 1.5;
  EXPECT_EQ(error_of(std::move(target)),
            "the limiter asks for memory down to 1.500000 of the limit; this should be from 0 to 1");
  MemoryLimiterOptions policy = options();
  policy.policy = nullptr;
  EXPECT_EQ(error_of(std::move(policy)),
            "the limiter has an empty policy; it should be a callable such as RampPolicy()");
  MemoryLimiterOptions sensor = options();
  sensor.usage_sensors.emplace_back();
  EXPECT_EQ(error_of(std::move(sensor)),
            "the limiter has an empty usage sensor; each should be a callable that gives bytes");
}

}  // namespace
}  // namespace bursar
