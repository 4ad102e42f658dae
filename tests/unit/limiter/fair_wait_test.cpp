#include "limiter/fair_wait.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

namespace bursar::detail {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr auto kBackoff = milliseconds(10);
constexpr bool kRoomLeft = false;
constexpr bool kTooNear = true;

class FairWaitTest : public ::testing::Test {
 protected:
  // What a caller whose component uses so much of its bound waits now.
  nanoseconds wait(std::optional<double> bound_share, FairWait::Caller& caller, bool too_near = kRoomLeft) {
    share = bound_share;
    return fair.wait_of(caller, now, kBackoff, too_near);
  }

  std::optional<double> share;
  FairWait fair{[this] { return share; }};
  FairWait::Caller guilty;
  FairWait::Caller innocent;
  Clock::TimePoint now{std::chrono::hours(1)};
};

TEST_F(FairWaitTest, WithoutBoundsAllTakeTheWholeBackoff) {
  FairWait unfair{BoundShare()};
  EXPECT_EQ(unfair.wait_of(innocent, now, kBackoff, kRoomLeft), kBackoff);
}

TEST_F(FairWaitTest, AComponentBeyondItsBoundTakesTheWholeBackoff) {
  EXPECT_EQ(wait(4.0, guilty), kBackoff);
  EXPECT_EQ(wait(1.001, guilty), kBackoff);
}

TEST_F(FairWaitTest, AComponentWithoutABoundTakesTheWholeBackoff) {
  ASSERT_EQ(wait(4.0, guilty), kBackoff);
  EXPECT_EQ(wait(std::nullopt, innocent), kBackoff);
}

TEST_F(FairWaitTest, AComponentInsideItsBoundWaitsATenthOfItsTime) {
  ASSERT_EQ(wait(4.0, guilty), kBackoff);
  innocent.passed_at = now;
  nanoseconds waited{0};
  const auto start = now;
  while (now - start < seconds(1)) {
    now += microseconds(100);  // of work
    static_cast<void>(wait(4.0, guilty));
    const nanoseconds piece = wait(1.0, innocent);
    now += piece;
    waited += piece;
  }
  EXPECT_EQ(waited, milliseconds(91));  // of 1001: a tenth of the 910 that were work
}

TEST_F(FairWaitTest, ItWaitsInPiecesOfAMillisecond) {
  ASSERT_EQ(wait(4.0, guilty), kBackoff);
  innocent.passed_at = now;
  now += milliseconds(9);
  EXPECT_EQ(wait(0.5, innocent), nanoseconds(0));
  now += milliseconds(1);
  EXPECT_EQ(wait(0.5, innocent), milliseconds(1));
  EXPECT_EQ(wait(0.5, innocent), nanoseconds(0));
}

TEST_F(FairWaitTest, ALongPauseIsNotPaidForLater) {
  ASSERT_EQ(wait(4.0, guilty), kBackoff);
  innocent.passed_at = now - std::chrono::hours(1);
  EXPECT_EQ(wait(0.5, innocent), kBackoff);
  EXPECT_EQ(wait(0.5, innocent), nanoseconds(0));
}

TEST_F(FairWaitTest, WhereNobodyIsBeyondABoundAllWaitAlike) {
  EXPECT_EQ(wait(0.5, innocent), kBackoff);
}

TEST_F(FairWaitTest, WhoWasBeyondItsBoundIsForgottenAfterATenthOfASecond) {
  ASSERT_EQ(wait(4.0, guilty), kBackoff);
  innocent.passed_at = now += milliseconds(100);
  EXPECT_EQ(wait(0.5, innocent), nanoseconds(0));
  innocent.passed_at = now += milliseconds(1);
  EXPECT_EQ(wait(0.5, innocent), kBackoff);
}

TEST_F(FairWaitTest, WhereTheLimitIsTooNearAllWaitAlike) {
  ASSERT_EQ(wait(4.0, guilty), kBackoff);
  innocent.passed_at = now;
  EXPECT_EQ(wait(0.5, innocent, kTooNear), kBackoff);
}

RC_GTEST_PROP(FairWaitLaws, NobodyWaitsLongerThanTheBackoff, (std::vector<std::uint16_t> steps)) {
  double share = 0;
  FairWait fair([&share] { return std::optional(share); });
  FairWait::Caller caller;
  Clock::TimePoint now{std::chrono::hours(1)};
  for (const std::uint16_t step : steps) {
    share = step % 3;
    now += microseconds(step);
    const nanoseconds backoff = microseconds(step % 5000);
    const nanoseconds wait = fair.wait_of(caller, now, backoff, kRoomLeft);
    RC_ASSERT(wait >= nanoseconds(0));
    RC_ASSERT(wait <= backoff);
  }
}

}  // namespace
}  // namespace bursar::detail
