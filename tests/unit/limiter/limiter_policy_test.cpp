#include <bursar/limiter/limiter_policy.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <vector>

namespace bursar {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

nanoseconds backoff_at(std::uint64_t usage_bytes, std::uint64_t limit_bytes = 1000) {
  return RampPolicy()({.usage_bytes = usage_bytes, .limit_bytes = limit_bytes}).backoff;
}

LimiterState state_after(std::vector<std::uint64_t> usages) {
  RampPolicy policy;
  LimiterState state = LimiterState::Normal;
  for (const std::uint64_t usage : usages) state = policy({.usage_bytes = usage, .limit_bytes = 1000}).state;
  return state;
}

TEST(RampPolicyTest, BelowNinetyFivePercentNobodyWaits) {
  EXPECT_EQ(backoff_at(0), nanoseconds(0));
  EXPECT_EQ(backoff_at(949), nanoseconds(0));
}

TEST(RampPolicyTest, BackoffRisesInAStraightLineFromOneToTwentyFiveMilliseconds) {
  EXPECT_EQ(backoff_at(950), milliseconds(1));
  EXPECT_EQ(backoff_at(960), nanoseconds(5'800'000));
  EXPECT_EQ(backoff_at(975), milliseconds(13));
  EXPECT_EQ(backoff_at(1000), milliseconds(25));
}

TEST(RampPolicyTest, BeyondTheLimitBackoffStaysAtItsMaximum) {
  EXPECT_EQ(backoff_at(1001), milliseconds(25));
  EXPECT_EQ(backoff_at(std::numeric_limits<std::uint64_t>::max(), 1), milliseconds(25));
}

TEST(RampPolicyTest, ALimitOfOneByteIsStillALimit) {
  EXPECT_EQ(backoff_at(0, 1), nanoseconds(0));
  EXPECT_EQ(backoff_at(1, 1), milliseconds(25));
}

TEST(RampPolicyTest, StateRisesAtItsThresholds) {
  EXPECT_EQ(state_after({949}), LimiterState::Normal);
  EXPECT_EQ(state_after({950}), LimiterState::Soft);
  EXPECT_EQ(state_after({999}), LimiterState::Soft);
  EXPECT_EQ(state_after({1000}), LimiterState::Hard);
}

TEST(RampPolicyTest, StateIsLeftAtNinetyPercent) {
  EXPECT_EQ(state_after({950, 901}), LimiterState::Soft);
  EXPECT_EQ(state_after({950, 900}), LimiterState::Normal);
  EXPECT_EQ(state_after({1000, 901}), LimiterState::Hard);
  EXPECT_EQ(state_after({1000, 900}), LimiterState::Normal);
}

TEST(RampPolicyTest, HardDoesNotFallBackToSoftWhileUsageIsHigh) {
  EXPECT_EQ(state_after({1000, 970}), LimiterState::Hard);
}

TEST(RampPolicyTest, BackoffDoesNotOutlastItsThresholdWhereTheStateDoes) {
  RampPolicy policy;
  policy({.usage_bytes = 1000, .limit_bytes = 1000});
  EXPECT_EQ(policy({.usage_bytes = 940, .limit_bytes = 1000}),
            (LimiterDecision{.state = LimiterState::Hard, .backoff = nanoseconds(0)}));
}

TEST(RampPolicyTest, ThresholdsAndTimesCanBeConfigured) {
  auto policy = RampPolicy::create({.soft_from = 0.5,
                                    .hard_from = 0.75,
                                    .leave_at = 0.25,
                                    .min_backoff = milliseconds(2),
                                    .max_backoff = milliseconds(4)});
  ASSERT_TRUE(policy);
  const auto at = [&policy](std::uint64_t usage) { return (*policy)({.usage_bytes = usage, .limit_bytes = 1000}); };
  EXPECT_EQ(at(500), (LimiterDecision{.state = LimiterState::Soft, .backoff = milliseconds(2)}));
  EXPECT_EQ(at(625), (LimiterDecision{.state = LimiterState::Soft, .backoff = milliseconds(3)}));
  EXPECT_EQ(at(750), (LimiterDecision{.state = LimiterState::Hard, .backoff = milliseconds(4)}));
  EXPECT_EQ(at(251), (LimiterDecision{.state = LimiterState::Hard, .backoff = nanoseconds(0)}));
  EXPECT_EQ(at(250), (LimiterDecision{.state = LimiterState::Normal, .backoff = nanoseconds(0)}));
}

TEST(RampPolicyTest, OneThresholdForAllIsASteplessSwitch) {
  auto policy = RampPolicy::create({.soft_from = 1.0, .hard_from = 1.0, .leave_at = 1.0});
  ASSERT_TRUE(policy);
  EXPECT_EQ((*policy)({.usage_bytes = 1000, .limit_bytes = 1000}),
            (LimiterDecision{.state = LimiterState::Hard, .backoff = milliseconds(25)}));
  EXPECT_EQ((*policy)({.usage_bytes = 999, .limit_bytes = 1000}), LimiterDecision{});
}

TEST(RampPolicyTest, ThresholdsThatFallAreAnErrorWithTheirValues) {
  const auto policy = RampPolicy::create({.soft_from = 0.95, .hard_from = 0.9, .leave_at = 0.9});
  ASSERT_FALSE(policy);
  EXPECT_EQ(policy.error(),
            "the limiter leaves pressure at 0.900000, is soft from 0.950000 and hard from 0.900000 of the limit; these "
            "should be above 0 and not fall in this order");
}

TEST(RampPolicyTest, AThresholdThatIsNoNumberIsAnError) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(RampPolicy::create({.soft_from = nan}));
  EXPECT_FALSE(RampPolicy::create({.hard_from = nan}));
  EXPECT_FALSE(RampPolicy::create({.leave_at = nan}));
  EXPECT_FALSE(RampPolicy::create({.hard_from = std::numeric_limits<double>::infinity()}));
  EXPECT_FALSE(RampPolicy::create({.leave_at = 0.0}));
}

TEST(RampPolicyTest, TimesThatFallAreAnErrorWithTheirValues) {
  const auto policy = RampPolicy::create({.min_backoff = milliseconds(30)});
  ASSERT_FALSE(policy);
  EXPECT_EQ(policy.error(),
            "the limiter's back-off goes from 30.000000 ms to 25.000000 ms; it should begin at 0 or more and not fall");
  EXPECT_FALSE(RampPolicy::create({.min_backoff = milliseconds(-1)}));
}

// What the policy decides where the allocator was asked for its memory and usage has not risen since.
LimiterDecision decision_with_kept_pages(std::uint64_t usage, std::uint64_t live, std::uint64_t lowest) {
  RampPolicy policy;
  policy({.usage_bytes = 1000, .limit_bytes = 1000});
  return policy({.usage_bytes = usage, .limit_bytes = 1000, .live_bytes = live, .lowest_since_purge_bytes = lowest});
}

TEST(RampPolicyTest, PagesThatTheAllocatorKeepsCountAsRoom) {
  EXPECT_EQ(decision_with_kept_pages(999, 900, 999), LimiterDecision{});
}

TEST(RampPolicyTest, WhereLiveBytesAreHighUsageCounts) {
  EXPECT_EQ(decision_with_kept_pages(975, 901, 975).backoff, milliseconds(13));
  EXPECT_EQ(decision_with_kept_pages(975, 901, 975).state, LimiterState::Hard);
}

TEST(RampPolicyTest, UsageMayRiseAHundredthWhileLiveBytesAreTrusted) {
  EXPECT_EQ(decision_with_kept_pages(975, 500, 965), LimiterDecision{});
  EXPECT_EQ(decision_with_kept_pages(975, 500, 964).state, LimiterState::Hard);
}

TEST(RampPolicyTest, KeptPagesBeyondTheLimitAreSoftAndWaitLittle) {
  const LimiterDecision little{.state = LimiterState::Soft, .backoff = milliseconds(1)};
  EXPECT_EQ(decision_with_kept_pages(1000, 500, 1000), little);
  EXPECT_EQ(decision_with_kept_pages(5000, 500, 5000), little);
}

TEST(RampPolicyTest, KeptGrowthThatIsNoNumberIsAnError) {
  EXPECT_EQ(
      RampPolicy::create({.kept_growth = -0.5}).error(),
      "the limiter lets usage grow by -0.500000 of the limit while the allocator keeps pages; this should be 0 or "
      "more");
  EXPECT_FALSE(RampPolicy::create({.kept_growth = std::numeric_limits<double>::quiet_NaN()}));
}

std::uint64_t any_limit() {
  return *rc::gen::inRange<std::uint64_t>(1, (std::uint64_t{1} << 53) + 1);
}

RC_GTEST_PROP(RampPolicyLaws, BackoffIsNoneOrBetweenItsBounds, (std::uint64_t usage)) {
  const nanoseconds backoff = backoff_at(usage, any_limit());
  RC_ASSERT(backoff == nanoseconds(0) || (backoff >= milliseconds(1) && backoff <= milliseconds(25)));
}

RC_GTEST_PROP(RampPolicyLaws, MoreUsageNeverMeansLessBackoff, ()) {
  const std::uint64_t limit = any_limit();
  const std::uint64_t less = *rc::gen::inRange<std::uint64_t>(limit / 10 * 9, limit + limit / 10 + 2);
  const std::uint64_t more = *rc::gen::inRange<std::uint64_t>(less, limit + limit / 5 + 3);
  RC_ASSERT(backoff_at(less, limit) <= backoff_at(more, limit));
}

RC_GTEST_PROP(RampPolicyLaws, BackoffDependsOnTheReadingAlone, (std::vector<std::uint16_t> history)) {
  const std::uint64_t usage = *rc::gen::inRange<std::uint64_t>(0, 1200);
  RampPolicy policy;
  for (const std::uint16_t earlier : history) policy({.usage_bytes = earlier % 1200u, .limit_bytes = 1000});
  RC_ASSERT(policy({.usage_bytes = usage, .limit_bytes = 1000}).backoff == backoff_at(usage));
}

// The laws of the state, over any walk of the usage: its value is bound by the reading where that is outside the band
// between leave_at and soft_from, and inside the band it never changes.
RC_GTEST_PROP(RampPolicyLaws, StateChangesOnlyAtItsThresholds, (std::vector<std::uint16_t> walk)) {
  RampPolicy policy;
  LimiterState before = LimiterState::Normal;
  for (const std::uint16_t step : walk) {
    const std::uint64_t usage = 850 + step % 200u;
    const LimiterState after = policy({.usage_bytes = usage, .limit_bytes = 1000}).state;
    if (usage <= 900) RC_ASSERT(after == LimiterState::Normal);
    if (usage > 900 && usage < 950) RC_ASSERT(after == before);
    if (usage >= 950 && usage < 1000) RC_ASSERT(after == std::max(before, LimiterState::Soft));
    if (usage >= 1000) RC_ASSERT(after == LimiterState::Hard);
    before = after;
  }
}

// Live bytes only ever make it milder, and only while usage stays where the purge left it.
RC_GTEST_PROP(RampPolicyLaws, LiveBytesNeverMakeItHarder, (std::vector<std::uint16_t> walk)) {
  RampPolicy with;
  RampPolicy without;
  for (const std::uint16_t step : walk) {
    const std::uint64_t usage = 850 + step % 200u;
    const std::uint64_t live = step % 1000u;
    const std::uint64_t lowest = 850 + step % 170u;
    const LimiterDecision milder =
        with({.usage_bytes = usage, .limit_bytes = 1000, .live_bytes = live, .lowest_since_purge_bytes = lowest});
    const LimiterDecision plain = without({.usage_bytes = usage, .limit_bytes = 1000});
    RC_ASSERT(milder.backoff <= plain.backoff);
    RC_ASSERT(milder.state <= plain.state);
    if (usage > lowest + 10) RC_ASSERT(milder.backoff == plain.backoff);
  }
}

}  // namespace
}  // namespace bursar
