#include <bursar/groups/resource_group_token.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <unordered_set>
#include <utility>

#include <bursar/groups/group_presence.h>
#include <bursar/groups/resource_group_registry.h>
#include <bursar/groups/thread_account.h>
#include <gtest/gtest.h>

#include "unit/groups/registry_probe.h"

namespace bursar {
namespace {

using testing::fresh_group;
using testing::fresh_name;
using testing::without_cpu;

TEST(ResourceGroupToken, IsSmallAndRootByDefault) {
  static_assert(sizeof(ResourceGroupToken) == 8);
  static_assert(ResourceGroupToken() == ResourceGroupToken::root());
  EXPECT_EQ(ResourceGroupToken::current(), ResourceGroupToken::root());
  EXPECT_EQ(ResourceGroupToken::root().index(), 0U);
}

TEST(ResourceGroupToken, CanBeAKey) {
  const ResourceGroupToken a = fresh_group();
  const ResourceGroupToken b = fresh_group();
  const std::unordered_set<ResourceGroupToken> set{a, b, a, ResourceGroupToken::root()};
  EXPECT_EQ(set.size(), 3U);
  EXPECT_TRUE(set.contains(ResourceGroupToken(b.index(), b.generation())));
  EXPECT_FALSE(set.contains(ResourceGroupToken(b.index(), b.generation() + 2)));
}

TEST(ResourceTrackingGuard, ChargesItsGroupWhileItLivesAndTheOuterOneAfterwards) {
  const ResourceGroupToken outer = fresh_group("outer");
  const ResourceGroupToken middle = fresh_group("middle");
  const ResourceGroupToken inner = fresh_group("inner");
  {
    const ResourceTrackingGuard in_outer = outer.enter();
    EXPECT_EQ(ResourceGroupToken::current(), outer);
    EXPECT_EQ(groups::charge_allocation(1), outer.index());
    {
      const ResourceTrackingGuard in_middle(middle);
      EXPECT_EQ(ResourceGroupToken::current(), middle);
      EXPECT_EQ(groups::charge_allocation(10), middle.index());
      {
        const ResourceTrackingGuard in_inner = inner.enter();
        EXPECT_EQ(ResourceGroupToken::current(), inner);
        EXPECT_EQ(groups::charge_allocation(100), inner.index());
      }
      EXPECT_EQ(ResourceGroupToken::current(), middle);
      EXPECT_EQ(groups::charge_allocation(1'000), middle.index());
    }
    EXPECT_EQ(ResourceGroupToken::current(), outer);
    EXPECT_EQ(groups::charge_allocation(10'000), outer.index());
  }
  EXPECT_EQ(ResourceGroupToken::current(), ResourceGroupToken::root());
  EXPECT_EQ(without_cpu(outer.stats().totals()),
            (ResourceStatsSnapshot{.allocated_bytes = 10'001, .allocated_objects = 2}));
  EXPECT_EQ(without_cpu(middle.stats().totals()),
            (ResourceStatsSnapshot{.allocated_bytes = 1'010, .allocated_objects = 2}));
  EXPECT_EQ(without_cpu(inner.stats().totals()),
            (ResourceStatsSnapshot{.allocated_bytes = 100, .allocated_objects = 1}));
}

TEST(ResourceTrackingGuard, OfTheSameGroupNests) {
  const ResourceGroupToken token = fresh_group();
  const ResourceTrackingGuard outer = token.enter();
  {
    const ResourceTrackingGuard inner = token.enter();
  }
  EXPECT_EQ(ResourceGroupToken::current(), token);
  {
    const ResourceTrackingGuard in_root = ResourceGroupToken::root().enter();
    EXPECT_EQ(ResourceGroupToken::current(), ResourceGroupToken::root());
  }
  EXPECT_EQ(ResourceGroupToken::current(), token);
}

TEST(ResourceTrackingGuard, NestsDeeperThanTheStackThatIsWatched) {
  constexpr std::uint32_t kDepth = groups::ThreadAccount::kMaxDepth + 100;
  const ResourceGroupToken even = fresh_group("even");
  const ResourceGroupToken odd = fresh_group("odd");
  const auto at_depth = [&](std::uint32_t depth) { return depth % 2 == 0 ? even : odd; };
  const std::function<void(std::uint32_t)> nest = [&](std::uint32_t depth) {
    if (depth == kDepth) return;
    const ResourceTrackingGuard guard = at_depth(depth).enter();
    nest(depth + 1);
    ASSERT_EQ(ResourceGroupToken::current(), at_depth(depth));
  };
  nest(0);
  EXPECT_EQ(ResourceGroupToken::current(), ResourceGroupToken::root());
}

TEST(ResourceTrackingGuard, HoldsForItsThreadOnly) {
  const ResourceGroupToken token = fresh_group();
  const ResourceGroupToken other = fresh_group();
  const ResourceTrackingGuard guard = token.enter();
  std::thread([&] {
    EXPECT_EQ(ResourceGroupToken::current(), ResourceGroupToken::root());
    EXPECT_EQ(groups::charge_allocation(5), groups::kRootIndex);
    const ResourceTrackingGuard in_other = other.enter();
    EXPECT_EQ(ResourceGroupToken::current(), other);
    groups::charge_release(groups::kRootIndex, 5);
  }).join();
  EXPECT_EQ(ResourceGroupToken::current(), token);
  EXPECT_FALSE(token.stats().has_allocated());
}

TEST(ResourceTrackingGuard, ABlockReleasedByAnotherThreadCreditsItsOwner) {
  const ResourceGroupToken owner = fresh_group("owner");
  const ResourceGroupToken releaser = fresh_group("releaser");
  {
    const ResourceTrackingGuard guard = owner.enter();
    groups::charge_allocation(48);
  }
  std::thread([&] {
    const ResourceTrackingGuard guard = releaser.enter();
    groups::charge_release(owner.index(), 48);
  }).join();
  EXPECT_EQ(without_cpu(owner.stats().totals()),
            (ResourceStatsSnapshot{
                .allocated_bytes = 48, .allocated_objects = 1, .deallocated_bytes = 48, .deallocated_objects = 1}));
  EXPECT_EQ(without_cpu(releaser.stats().totals()), ResourceStatsSnapshot::empty());
}

TEST(ResourceTrackingGuard, ABlockReleasedByAThreadThatNeverWasNearItsOwnerCreditsIt) {
  // Far enough from `root` that the releasing thread has used no page of its books in which the owner stands.
  ResourceGroupToken owner;
  for (std::size_t i = 0; i < 2 * groups::kGroupsPerPage; ++i) owner = fresh_group("far");
  {
    const ResourceTrackingGuard guard = owner.enter();
    groups::charge_allocation(30);
  }
  std::thread([&] { groups::charge_release(owner.index(), 30); }).join();
  EXPECT_EQ(owner.stats().totals().deallocated_objects, 1U);
  EXPECT_EQ(owner.stats().totals().live_bytes(), 0U);
}

TEST(ResourceGroupToken, StatsAreWhatTheRegistryShows) {
  const std::string name = fresh_name();
  const ResourceGroupToken token = ResourceGroupRegistry::global().register_resource_group(name);
  {
    const ResourceTrackingGuard guard = token.enter();
    groups::charge_allocation(77);
  }
  EXPECT_EQ(token.stats().totals(), testing::figures_of(name));
}

TEST(Bind, RunsTheCallableInsideTheGroup) {
  const ResourceGroupToken token = fresh_group();
  auto bound = token.bind([](int a, int b) { return std::pair(ResourceGroupToken::current(), a + b); });
  EXPECT_EQ(bound(2, 3), std::pair(token, 5));
  EXPECT_EQ(ResourceGroupToken::current(), ResourceGroupToken::root());
  std::thread([&] { EXPECT_EQ(bound(4, 5), std::pair(token, 9)); }).join();
}

TEST(Bind, PassesReferencesMoveOnlyArgumentsAndMembers) {
  const ResourceGroupToken token = fresh_group();
  int counter = 0;
  auto reference = token.bind([](int& value) -> int& { return ++value; });
  int& returned = reference(counter);
  EXPECT_EQ(&returned, &counter);
  EXPECT_EQ(counter, 1);
  auto takes = token.bind([](std::unique_ptr<int> value) { return *value; });
  EXPECT_EQ(takes(std::make_unique<int>(7)), 7);
  auto member = token.bind(&std::string::size);
  EXPECT_EQ(member(std::string("four")), 4U);
  auto move_only = token.bind([kept = std::make_unique<int>(9)] { return *kept; });
  EXPECT_EQ(move_only(), 9);
  int calls = 0;
  const std::function<void()> erased = token.bind([&] { ++calls; });
  erased();
  EXPECT_EQ(calls, 1);
}

TEST(Bind, LeavesTheGroupWhenTheCallableThrows) {
  auto throws = fresh_group().bind([] { throw 5; });
  EXPECT_THROW(throws(), int);
  EXPECT_EQ(ResourceGroupToken::current(), ResourceGroupToken::root());
}

TEST(AllocationDetour, ChargesAllocationsAloneToAnotherGroup) {
  const ResourceGroupToken mine = fresh_group("mine");
  const ResourceGroupToken theirs = fresh_group("theirs");
  const groups::GroupPresence presence(theirs);
  const ResourceTrackingGuard guard = mine.enter();
  {
    const groups::AllocationDetour detour(presence.group());
    EXPECT_EQ(ResourceGroupToken::current(), mine);
    EXPECT_EQ(groups::charge_allocation(3), theirs.index());
    {
      const groups::AllocationDetour back(mine.index());
      EXPECT_EQ(groups::charge_allocation(4), mine.index());
    }
    EXPECT_EQ(groups::charge_allocation(5), theirs.index());
  }
  EXPECT_EQ(groups::charge_allocation(6), mine.index());
  EXPECT_EQ(theirs.stats().totals().allocated_bytes, 8U);
  EXPECT_EQ(mine.stats().totals().allocated_bytes, 10U);
}

TEST(ForeignBlocks, AreCounted) {
  const std::uint64_t before = ResourceGroupRegistry::global().foreign_blocks();
  groups::count_foreign_block();
  groups::count_foreign_block();
  EXPECT_EQ(ResourceGroupRegistry::global().foreign_blocks(), before + 2);
}

TEST(ResourceGroupToken, LiveBytesAreThoseOfItsFiguresAlsoWhereTheNumberWasAnothers) {
  const ResourceGroupToken earlier = testing::fresh_group("earlier");
  {
    const ResourceTrackingGuard guard = earlier.enter();
    groups::charge_allocation(1'000);
  }
  std::thread([&] { groups::charge_release(earlier.index(), 1'000); }).join();
  EXPECT_EQ(earlier.live_bytes(), 0U);
  ResourceGroupRegistry::global().retire(earlier);
  EXPECT_EQ(earlier.live_bytes(), 0U) << "a stale token has nothing";
  std::string name;
  const std::optional<ResourceGroupToken> later = testing::next_with_the_number_of(earlier, name);
  ASSERT_TRUE(later.has_value());
  {
    const ResourceTrackingGuard guard = later->enter();
    groups::charge_allocation(70);
  }
  EXPECT_EQ(later->live_bytes(), 70U);
  EXPECT_EQ(later->live_bytes(), later->stats().totals().live_bytes());
  groups::charge_release(later->index(), 70);
}

}  // namespace
}  // namespace bursar
