#include <bursar/alloc/tracking_resource.h>
#include <bursar/registry/bound_watch.h>

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "unit/limiter/fake_clock.h"

namespace bursar {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

// A component that declared a minimum and a firm part of 1 MiB each, and blocks that it holds.
class BoundWatchTest : public ::testing::Test {
 protected:
  BoundWatchTest() {
    // Groups outlive the trees of other tests.
    component_ = components_.get_or_create("watched_" + std::to_string(++trees_));
    component_.bounds_builder().minimum().with_fixed_amount("least", kMiB);
    component_.bounds_builder().firm().with_fixed_amount("most", kMiB);
  }
  ~BoundWatchTest() override { hold(0); }

  void hold(std::size_t bytes) {
    TrackingResource resource(component_.token());
    if (block_ != nullptr) resource.deallocate(std::exchange(block_, nullptr), bytes_);
    bytes_ = bytes;
    if (bytes > 0) block_ = resource.allocate(bytes);
  }

  BoundWatch watch() {
    return BoundWatch(
        components_.root(),
        {.tell_interval = std::chrono::seconds(10),
         .on_breach = [this](const BoundBreach& breach, std::uint64_t untold) { told_.emplace_back(breach, untold); },
         .clock = clock_});
  }

  BoundStanding standing(const BoundWatch& watch) const {
    return watch.standings().at(std::string(component_.full_name()));
  }

  static inline int trees_ = 0;
  FakeClock clock_;
  ComponentRegistry components_;
  ComponentRegistry component_;
  void* block_ = nullptr;
  std::size_t bytes_ = 0;
  std::vector<std::pair<BoundBreach, std::uint64_t>> told_;
};

TEST_F(BoundWatchTest, WhatIsInsideItsMinimumAndFirmPartTogetherIsNoBreach) {
  hold(2 * kMiB - 64);
  const BoundWatch watched = watch();
  EXPECT_EQ(standing(watched).limit_bytes, 2 * kMiB);
  EXPECT_EQ(standing(watched).breaches, 0U);
  EXPECT_TRUE(told_.empty());
}

TEST_F(BoundWatchTest, WhatIsInsideTheToleranceIsNone) {
  hold(2 * kMiB + kMiB / 8);
  EXPECT_EQ(standing(watch()).breaches, 0U);
}

TEST_F(BoundWatchTest, OneCrossingIsOneBreachHoweverOftenItIsLookedAt) {
  BoundWatch watched = watch();
  hold(3 * kMiB);
  watched.check();
  watched.check();
  EXPECT_EQ(standing(watched).breaches, 1U);
  EXPECT_TRUE(standing(watched).in_breach);
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_EQ(told_[0].first.component, component_.full_name());
  EXPECT_EQ(told_[0].first.limit_bytes, 2 * kMiB);
  EXPECT_GE(told_[0].first.live_bytes, 3 * kMiB);
}

TEST_F(BoundWatchTest, ItIsOverInsideTheLimitAndTheNextCrossingIsAnother) {
  BoundWatch watched = watch();
  hold(3 * kMiB);
  watched.check();
  // Inside the tolerance, and still beyond what was declared.
  hold(2 * kMiB + kMiB / 8);
  watched.check();
  EXPECT_TRUE(standing(watched).in_breach);
  hold(kMiB);
  watched.check();
  EXPECT_FALSE(standing(watched).in_breach);
  hold(3 * kMiB);
  watched.check();
  EXPECT_EQ(standing(watched).breaches, 2U);
}

TEST_F(BoundWatchTest, ABreachBetweenTwoLooksShowsByThePeak) {
  BoundWatch watched = watch();
  hold(5 * kMiB);
  hold(0);
  watched.check();
  EXPECT_EQ(standing(watched).breaches, 1U);
  EXPECT_FALSE(standing(watched).in_breach);
  EXPECT_GE(standing(watched).worst_live_bytes, 5 * kMiB);
  watched.check();
  EXPECT_EQ(standing(watched).breaches, 1U);
}

TEST_F(BoundWatchTest, AComponentIsToldOfOnceInAWhileWithTheNumberOfTheOthers) {
  BoundWatch watched = watch();
  for (int i = 0; i < 3; ++i) {
    hold(3 * kMiB);
    watched.check();
    hold(0);
    watched.check();
  }
  ASSERT_EQ(told_.size(), 1U);
  clock_.advance(std::chrono::seconds(10));
  hold(3 * kMiB);
  watched.check();
  ASSERT_EQ(told_.size(), 2U);
  EXPECT_EQ(told_[1].second, 2U);
  EXPECT_EQ(standing(watched).breaches, 4U);
}

TEST_F(BoundWatchTest, AComponentWithoutBoundsIsNeverInBreach) {
  component_.bounds_builder().reset();
  hold(3 * kMiB);
  EXPECT_TRUE(watch().standings().empty());
}

TEST_F(BoundWatchTest, TheShareOfTheCurrentGroupIsThatOfItsComponentsLimit) {
  hold(8 * kMiB);
  const BoundWatch watched = watch();
  EXPECT_FALSE(watched.share_of_current_group().has_value());
  const ResourceTrackingGuard guard(component_.token());
  EXPECT_NEAR(watched.share_of_current_group().value_or(0), 4.0, 0.01);
}

TEST(BoundBreach, IsDescribedWithItsNumbersInOneLine) {
  EXPECT_EQ(describe({.component = "a.b", .limit_bytes = 9 * kMiB, .live_bytes = 12 * kMiB}),
            "component \"a.b\" holds 12 MiB, 3 MiB more than the 9 MiB that it declared");
}

}  // namespace
}  // namespace bursar
