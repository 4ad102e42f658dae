#include <bursar/limiter/sampling_pace.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <chrono>
#include <cstdint>
#include <vector>

namespace bursar {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr Clock::TimePoint kStart{std::chrono::hours(1)};
constexpr std::uint64_t kLimitBytes = 1'000'000'000;

SamplingPace pace_of_one_gigabyte_a_second() {
  return SamplingPace({.fastest_growth_per_second = 1'000'000'000});
}

TEST(SamplingPaceTest, AUsageThatStandsStillIsLookedAtRarelyHoweverNearTheLimit) {
  SamplingPace pace = pace_of_one_gigabyte_a_second();
  for (int look = 0; look < 3; ++look) {
    const SamplingPlan plan = pace.after(kStart + look * milliseconds(20), 999'000'000, kLimitBytes);
    EXPECT_EQ(plan.interval, milliseconds(20));
    EXPECT_TRUE(plan.still);
  }
}

TEST(SamplingPaceTest, ALimitThatIsFarAwayIsLookedAtMoreRarelyStill) {
  SamplingPace pace = pace_of_one_gigabyte_a_second();
  EXPECT_EQ(pace.after(kStart, 900'000'000, kLimitBytes).interval, milliseconds(50));
  EXPECT_EQ(pace.after(kStart, 0, kLimitBytes).interval, milliseconds(100));
}

TEST(SamplingPaceTest, TheThreadLooksEightTimesOnTheWayToTheLimit) {
  SamplingPace pace = pace_of_one_gigabyte_a_second();
  static_cast<void>(pace.after(kStart, 900'000'000, kLimitBytes));
  // 20 MB in 20 ms: the other 80 MB take 80 ms.
  const SamplingPlan plan = pace.after(kStart + milliseconds(20), 920'000'000, kLimitBytes);
  EXPECT_EQ(plan.interval, milliseconds(10));
  EXPECT_FALSE(plan.still);
}

TEST(SamplingPaceTest, NearTheLimitEachMillisecondIsLookedAt) {
  SamplingPace pace = pace_of_one_gigabyte_a_second();
  static_cast<void>(pace.after(kStart, 970'000'000, kLimitBytes));
  EXPECT_EQ(pace.after(kStart + milliseconds(20), 999'000'000, kLimitBytes).interval, milliseconds(1));
  EXPECT_EQ(pace.after(kStart + milliseconds(21), 1'001'000'000, kLimitBytes).interval, milliseconds(1));
}

TEST(SamplingPaceTest, AFallIsFollowedAsARiseIs) {
  SamplingPace pace = pace_of_one_gigabyte_a_second();
  static_cast<void>(pace.after(kStart, 1'000'000'000, kLimitBytes));
  EXPECT_EQ(pace.after(kStart + milliseconds(20), 980'000'000, kLimitBytes).interval, microseconds(2500));
}

TEST(SamplingPaceTest, WhatMovedAMomentAgoIsForgottenByAndBy) {
  SamplingPace pace = pace_of_one_gigabyte_a_second();
  static_cast<void>(pace.after(kStart, 970'000'000, kLimitBytes));
  ASSERT_EQ(pace.after(kStart + milliseconds(20), 999'000'000, kLimitBytes).interval, milliseconds(1));
  EXPECT_EQ(pace.after(kStart + milliseconds(21), 999'000'000, kLimitBytes).interval, milliseconds(1));
  EXPECT_EQ(pace.after(kStart + seconds(1), 999'000'000, kLimitBytes).interval, milliseconds(20));
}

TEST(SamplingPaceTest, ACallerLooksOnceItHasGrownByASixteenthOfTheRoom) {
  SamplingPace pace = pace_of_one_gigabyte_a_second();
  EXPECT_EQ(pace.after(kStart, 840'000'000, kLimitBytes).caller_growth_bytes, 10'000'000u);
}

TEST(SamplingPaceTest, ACallerNeedNotLookForLessThanItsGrowthIsKnownTo) {
  SamplingPace pace = pace_of_one_gigabyte_a_second();
  EXPECT_EQ(pace.after(kStart, kLimitBytes, kLimitBytes).caller_growth_bytes, 65536u);
  EXPECT_EQ(pace.after(kStart, 2 * kLimitBytes, kLimitBytes).caller_growth_bytes, 65536u);
}

TEST(SamplingPaceTest, ACallerLooksMoreOftenTheSoonerTheRoomIsGone) {
  SamplingPace pace = pace_of_one_gigabyte_a_second();
  EXPECT_EQ(pace.after(kStart, 980'000'000, kLimitBytes).caller_interval, milliseconds(1));
  // 12 MB in 12 ms: the other 8 MB take 8 ms.
  EXPECT_EQ(pace.after(kStart + milliseconds(12), 992'000'000, kLimitBytes).caller_interval, microseconds(500));
  EXPECT_EQ(pace.after(kStart + milliseconds(13), kLimitBytes, kLimitBytes).caller_interval, microseconds(100));
}

TEST(SamplingPaceTest, TheRoomIsSafeForAsLongAsTheFastestGrowthTakes) {
  SamplingPace pace = pace_of_one_gigabyte_a_second();
  EXPECT_EQ(pace.after(kStart, 900'000'000, kLimitBytes).safe_for, milliseconds(100));
  EXPECT_EQ(pace.after(kStart, 2 * kLimitBytes, kLimitBytes).safe_for, nanoseconds(0));
}

// Whatever a process does: the intervals keep their bounds, and a caller never looks less often than the thread would
// have to.
RC_GTEST_PROP(SamplingPaceLaws, IntervalsKeepTheirBounds, (std::vector<std::uint32_t> walk)) {
  SamplingPace pace;
  Clock::TimePoint now = kStart;
  for (const std::uint32_t step : walk) {
    now += microseconds(step % 50'000);
    const SamplingPlan plan = pace.after(now, step, 4'000'000'000);
    RC_ASSERT(plan.interval >= milliseconds(1));
    RC_ASSERT(plan.interval <= milliseconds(100));
    RC_ASSERT(plan.caller_interval >= microseconds(100));
    RC_ASSERT(plan.caller_interval <= milliseconds(1));
    RC_ASSERT(plan.caller_growth_bytes >= 65536u);
    RC_ASSERT(plan.safe_for >= nanoseconds(0));
  }
}

}  // namespace
}  // namespace bursar
