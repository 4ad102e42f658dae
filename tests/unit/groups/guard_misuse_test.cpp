// Guards that end out of order, or on another thread. A debug build ends the process and says why; in a release build
// the books still add up.

#include <memory>
#include <optional>
#include <thread>

#include <bursar/groups/resource_group_registry.h>
#include <bursar/groups/resource_group_token.h>
#include <bursar/groups/thread_account.h>
#include <gtest/gtest.h>

#include "unit/groups/registry_probe.h"

namespace bursar {
namespace {

using testing::fresh_group;
using testing::number_is_used_again;
using testing::since;
using testing::without_cpu;

#ifndef NDEBUG

TEST(GuardMisuseDeathTest, AGuardThatEndsBeforeALaterOneEndsTheProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        std::optional<ResourceTrackingGuard> outer(std::in_place, fresh_group());
        const std::optional<ResourceTrackingGuard> inner(std::in_place, fresh_group());
        outer.reset();
      },
      "bursar: a ResourceTrackingGuard ended before one that was made after it on the same thread");
}

TEST(GuardMisuseDeathTest, AGuardThatEndsOnAnotherThreadEndsTheProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        std::optional<ResourceTrackingGuard> guard(std::in_place, fresh_group());
        std::thread([&] { guard.reset(); }).join();
      },
      "bursar: a ResourceTrackingGuard ended on another thread than the one that made it");
}

#else

TEST(GuardMisuse, AGuardThatEndsBeforeALaterOneLeavesWithIt) {
  const ResourceGroupToken first = fresh_group("first");
  const ResourceGroupToken second = fresh_group("second");
  const ResourceGroupToken third = fresh_group("third");
  std::optional<ResourceTrackingGuard> in_first(std::in_place, first);
  std::optional<ResourceTrackingGuard> in_second(std::in_place, second);
  std::optional<ResourceTrackingGuard> in_third(std::in_place, third);
  in_second.reset();
  EXPECT_EQ(ResourceGroupToken::current(), third) << "the innermost one counts";
  in_third.reset();
  EXPECT_EQ(ResourceGroupToken::current(), first);
  in_first.reset();
  EXPECT_EQ(ResourceGroupToken::current(), ResourceGroupToken::root());
}

TEST(GuardMisuse, GuardsThatEndInTheOrderOfTheirMakingLeaveTheThreadInRoot) {
  std::optional<ResourceTrackingGuard> guards[5];
  for (auto& guard : guards) guard.emplace(fresh_group());
  for (auto& guard : guards) guard.reset();
  EXPECT_EQ(ResourceGroupToken::current(), ResourceGroupToken::root());
  const ResourceGroupToken token = fresh_group();
  {
    const ResourceTrackingGuard guard = token.enter();
    EXPECT_EQ(ResourceGroupToken::current(), token);
  }
  EXPECT_EQ(ResourceGroupToken::current(), ResourceGroupToken::root());
}

TEST(GuardMisuse, AGuardThatEndsOnAnotherThreadIsTakenOutWithTheNextChange) {
  const ResourceGroupToken token = fresh_group("crossing");
  const ResourceGroupToken other = fresh_group("other");
  const ResourceStatsSnapshot before = ResourceGroupRegistry::global().totals();
  auto guard = std::make_unique<ResourceTrackingGuard>(token);
  std::thread([&] {
    const ResourceTrackingGuard own = other.enter();
    guard.reset();
    EXPECT_EQ(ResourceGroupToken::current(), other) << "it was not this thread's";
    groups::charge_allocation(5);
  }).join();
  groups::charge_allocation(7);
  {
    const ResourceTrackingGuard next = other.enter();
  }
  EXPECT_EQ(ResourceGroupToken::current(), ResourceGroupToken::root());
  EXPECT_EQ(since(ResourceGroupRegistry::global().totals(), before).allocated_bytes, 12U);
  ResourceGroupRegistry::global().retire(token);
  EXPECT_FALSE(number_is_used_again(token)) << "it holds seven bytes";
  groups::charge_release(token.index(), 7);
  EXPECT_TRUE(number_is_used_again(token));
}

TEST(GuardMisuse, AGuardOfAnEndedThreadDoesNotDisturbTheThreadThatHasItsBooksNow) {
  const ResourceGroupToken orphaned = fresh_group("orphaned");
  const ResourceGroupToken outer = fresh_group("outer");
  const ResourceGroupToken inner = fresh_group("inner");
  std::unique_ptr<ResourceTrackingGuard> orphan;
  std::thread([&] { orphan = std::make_unique<ResourceTrackingGuard>(orphaned); }).join();
  std::thread([&] {
    const ResourceTrackingGuard in_outer = outer.enter();
    {
      const ResourceTrackingGuard in_inner = inner.enter();
      std::thread([&] { orphan.reset(); }).join();
    }
    EXPECT_EQ(ResourceGroupToken::current(), outer);
  }).join();
}

TEST(GuardMisuse, AGuardOfAnEndedThreadDoesNotHideThatALivingOneEndedOutOfOrder) {
  const ResourceGroupToken orphaned = fresh_group("orphaned");
  const ResourceGroupToken first = fresh_group("first");
  const ResourceGroupToken second = fresh_group("second");
  const ResourceGroupToken third = fresh_group("third");
  std::unique_ptr<ResourceTrackingGuard> orphan;
  std::thread([&] {
    const ResourceTrackingGuard below = first.enter();
    orphan = std::make_unique<ResourceTrackingGuard>(orphaned);
  }).join();
  std::thread([&] {
    std::optional<ResourceTrackingGuard> in_first(std::in_place, first);
    std::optional<ResourceTrackingGuard> in_second(std::in_place, second);
    std::optional<ResourceTrackingGuard> in_third(std::in_place, third);
    in_second.reset();
    std::thread([&] { orphan.reset(); }).join();
    in_third.reset();
    EXPECT_EQ(ResourceGroupToken::current(), first);
    in_first.reset();
    EXPECT_EQ(ResourceGroupToken::current(), ResourceGroupToken::root());
  }).join();
}

#endif

}  // namespace
}  // namespace bursar
