#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <bursar/groups/group_presence.h>
#include <bursar/groups/resource_group_registry.h>
#include <bursar/groups/thread_account.h>
#include <gtest/gtest.h>

#include "unit/groups/child_process.h"
#include "unit/groups/process_size.h"
#include "unit/groups/registry_probe.h"

namespace bursar {
namespace {

using testing::expect_success;
using testing::figures_of;
using testing::fresh_group;
using testing::fresh_name;
using testing::next_with_the_number_of;
using testing::number_is_used_again;
using testing::run_in_child;
using testing::since;
using testing::without_cpu;

ResourceGroupRegistry& registry() {
  return ResourceGroupRegistry::global();
}

ResourceStatsSnapshot visited_sum() {
  ResourceStatsSnapshot sum;
  registry().visit_resource_groups([&](std::string_view, const ResourceStats& stats) { sum.merge(stats.totals()); });
  return sum;
}

TEST(Retiring, FreesTheNameOnceAndNotTwice) {
  const ResourceGroupToken token = fresh_group();
  EXPECT_TRUE(registry().retire(token));
  EXPECT_FALSE(registry().retire(token));
}

TEST(Retiring, AStaleTokenChargesRootAndIsCounted) {
  const ResourceGroupToken token = fresh_group();
  registry().retire(token);
  const std::uint64_t stale_before = registry().stale_tokens();
  {
    const ResourceTrackingGuard guard = token.enter();
    EXPECT_EQ(ResourceGroupToken::current(), ResourceGroupToken::root());
    EXPECT_EQ(groups::charge_allocation(8), groups::kRootIndex);
    groups::charge_release(groups::kRootIndex, 8);
  }
  EXPECT_EQ(registry().stale_tokens(), stale_before + 1);
  {
    const groups::GroupPresence presence(token);
  }
  EXPECT_EQ(registry().stale_tokens(), stale_before + 2);
  EXPECT_EQ(token.name(), "root");
  EXPECT_EQ(token.stats().totals(), ResourceStatsSnapshot::empty());
  EXPECT_EQ(token.peak_live_bytes(), 0U);
}

TEST(Retiring, AGroupThatStillHoldsABlockIsVisitedUnderItsNameAndCredited) {
  const std::string name = fresh_name("draining");
  const ResourceGroupToken token = registry().register_resource_group(name);
  {
    const ResourceTrackingGuard guard = token.enter();
    groups::charge_allocation(24);
  }
  registry().retire(token);
  EXPECT_FALSE(number_is_used_again(token));
  ASSERT_TRUE(figures_of(name).has_value());
  EXPECT_EQ(figures_of(name)->live_bytes(), 24U);
  groups::charge_release(token.index(), 24);
  EXPECT_TRUE(number_is_used_again(token));
  EXPECT_FALSE(figures_of(name).has_value());
}

TEST(Retiring, AThreadThatIsInTheGroupKeepsItsNumberAndGoesOnChargingIt) {
  const std::string name = fresh_name("inhabited");
  const ResourceGroupToken token = registry().register_resource_group(name);
  {
    const ResourceTrackingGuard guard = token.enter();
    registry().retire(token);
    EXPECT_FALSE(number_is_used_again(token));
    EXPECT_EQ(ResourceGroupToken::current(), token);
    EXPECT_EQ(groups::charge_allocation(8), token.index());
    groups::charge_release(token.index(), 8);
    {
      const ResourceTrackingGuard inner = fresh_group().enter();
      EXPECT_FALSE(number_is_used_again(token)) << "the thread will come back to it";
    }
  }
  EXPECT_TRUE(number_is_used_again(token));
}

TEST(Retiring, APresenceKeepsTheNumber) {
  const ResourceGroupToken token = fresh_group("present");
  auto presence = std::make_unique<groups::GroupPresence>(token);
  registry().retire(token);
  EXPECT_FALSE(number_is_used_again(token));
  std::thread([&] { presence.reset(); }).join();
  EXPECT_TRUE(number_is_used_again(token));
}

TEST(Retiring, AThreadElsewhereThatIsInTheGroupKeepsItsNumber) {
  const ResourceGroupToken token = fresh_group("elsewhere");
  std::atomic<int> step{0};
  std::thread inhabitant([&] {
    const ResourceTrackingGuard guard = token.enter();
    step = 1;
    while (step != 2) std::this_thread::yield();
  });
  while (step != 1) std::this_thread::yield();
  registry().retire(token);
  EXPECT_FALSE(number_is_used_again(token));
  step = 2;
  inhabitant.join();
  EXPECT_TRUE(number_is_used_again(token));
}

TEST(Retiring, ATokenOfAnEarlierGroupWithTheNumberIsStale) {
  const ResourceGroupToken token = fresh_group("earlier");
  registry().retire(token);
  std::string heir_name;
  const std::optional<ResourceGroupToken> heir = next_with_the_number_of(token, heir_name);
  ASSERT_TRUE(heir.has_value());
  EXPECT_NE(*heir, token);
  EXPECT_FALSE(registry().retire(token)) << "it would retire the heir";
  const ResourceTrackingGuard guard = token.enter();
  EXPECT_EQ(ResourceGroupToken::current(), ResourceGroupToken::root());
  EXPECT_EQ(token.name(), "root");
  const ResourceTrackingGuard in_heir = heir->enter();
  EXPECT_EQ(ResourceGroupToken::current(), *heir);
}

TEST(Retiring, TheNextGroupWithTheNumberBeginsFromNothing) {
  const ResourceGroupToken token = fresh_group("former");
  {
    const ResourceTrackingGuard guard = token.enter();
    groups::charge_allocation(100'000);
  }
  groups::charge_release(token.index(), 100'000);
  EXPECT_EQ(token.peak_live_bytes(), 100'000U);
  registry().retire(token);
  std::string heir_name;
  const std::optional<ResourceGroupToken> heir = next_with_the_number_of(token, heir_name);
  ASSERT_TRUE(heir.has_value());
  EXPECT_EQ(figures_of(heir_name), ResourceStatsSnapshot::empty());
  EXPECT_EQ(heir->stats().totals(), ResourceStatsSnapshot::empty());
  EXPECT_EQ(heir->peak_live_bytes(), 0U);
  {
    const ResourceTrackingGuard guard = heir->enter();
    groups::charge_allocation(7);
  }
  EXPECT_EQ(without_cpu(heir->stats().totals()), (ResourceStatsSnapshot{.allocated_bytes = 7, .allocated_objects = 1}));
  EXPECT_EQ(heir->peak_live_bytes(), 7U);
}

TEST(Retiring, ARevivedGroupGoesOnAndItsOldTokenIsGoodAgain) {
  const std::string name = fresh_name("revived");
  const ResourceGroupToken token = registry().register_resource_group(name);
  {
    const ResourceTrackingGuard guard = token.enter();
    groups::charge_allocation(16);
  }
  registry().retire(token);
  EXPECT_EQ(token.name(), "root");
  EXPECT_EQ(registry().register_resource_group(name), token);
  EXPECT_EQ(token.name(), name);
  {
    const ResourceTrackingGuard guard = token.enter();
    EXPECT_EQ(ResourceGroupToken::current(), token);
    groups::charge_allocation(32);
  }
  EXPECT_EQ(without_cpu(token.stats().totals()),
            (ResourceStatsSnapshot{.allocated_bytes = 48, .allocated_objects = 2}));
  EXPECT_FALSE(number_is_used_again(token));
  groups::charge_release(token.index(), 16);
  groups::charge_release(token.index(), 32);
  EXPECT_FALSE(number_is_used_again(token)) << "it is in use";
}

TEST(Retiring, AGroupMayBeRetiredAndRevivedAnyNumberOfTimes) {
  const std::string name = fresh_name("phoenix");
  const ResourceGroupToken token = registry().register_resource_group(name);
  const groups::GroupPresence presence(token);
  for (int i = 0; i < 1'000; ++i) {
    ASSERT_TRUE(registry().retire(token));
    if (i % 3 == 0) {
      for (int other = 0; other < 80; ++other) registry().retire(fresh_group("between"));
    }
    ASSERT_EQ(registry().register_resource_group(name), token);
  }
  EXPECT_TRUE(registry().retire(token));
}

TEST(Retiring, OfSomeOfManyGroupsLeavesTheOthersFindable) {
  // Enough names that many stand in the table where another's name should have stood.
  expect_success(run_in_child([] {
    constexpr std::size_t kGroups = 40'000;
    std::vector<ResourceGroupToken> tokens;
    const auto name_of = [](std::size_t i) { return "crowd." + std::to_string(i); };
    for (std::size_t i = 0; i < kGroups; ++i) tokens.push_back(registry().register_resource_group(name_of(i)));
    for (std::size_t i = 0; i < kGroups; i += 2) registry().retire(tokens[i]);
    static_cast<void>(fresh_group("makes.the.registry.look"));
    std::size_t lost = 0;
    for (std::size_t i = 1; i < kGroups; i += 2) {
      if (registry().register_resource_group(name_of(i)) != tokens[i]) ++lost;
    }
    EXPECT_EQ(lost, 0U);
    for (std::size_t i = 0; i < kGroups; i += 2) {
      if (registry().register_resource_group(name_of(i)).name() != name_of(i)) ++lost;
    }
    EXPECT_EQ(lost, 0U);
  }));
}

TEST(Retiring, SumsHold) {
  const ResourceStatsSnapshot before = registry().totals();
  const ResourceStatsSnapshot retired_before = registry().retired_totals();
  ASSERT_EQ(without_cpu(before).allocated_bytes, [&] {
    ResourceStatsSnapshot sum = visited_sum();
    return sum.merge(retired_before).allocated_bytes;
  }());
  constexpr std::uint64_t kGroups = 500;
  for (std::uint64_t i = 0; i < kGroups; ++i) {
    const ResourceGroupToken token = fresh_group("summed");
    {
      const ResourceTrackingGuard guard = token.enter();
      groups::charge_allocation(10 + i);
      groups::charge_allocation(1);
    }
    groups::charge_release(token.index(), 10 + i);
    if (i % 2 == 0) groups::charge_release(token.index(), 1);
    registry().retire(token);
    if (i % 50 == 0) {
      ResourceStatsSnapshot sum = visited_sum();
      sum.merge(registry().retired_totals());
      EXPECT_EQ(without_cpu(sum), without_cpu(registry().totals()));
    }
  }
  ResourceStatsSnapshot sum = visited_sum();
  sum.merge(registry().retired_totals());
  const ResourceStatsSnapshot after = registry().totals();
  EXPECT_EQ(without_cpu(sum), without_cpu(after));
  EXPECT_EQ(since(after, before).allocated_objects, 2 * kGroups);
  EXPECT_EQ(since(after, before).deallocated_objects, kGroups + kGroups / 2);
  EXPECT_EQ(since(after, before).allocated_bytes, 11 * kGroups + kGroups * (kGroups - 1) / 2);
  EXPECT_GT(registry().retired_totals().allocated_objects, retired_before.allocated_objects)
      << "some groups are gone for good";
}

TEST(Retiring, TheCpuTimeOfGoneGroupsIsKept) {
  const std::uint64_t before = registry().retired_totals().cpu_time_nanos;
  const ResourceGroupToken token = fresh_group("burner");
  std::uint64_t burnt = 0;
  {
    const ResourceTrackingGuard guard = token.enter();
    const std::uint64_t begin = cpu::thread_cpu_nanos();
    while ((burnt = cpu::thread_cpu_nanos() - begin) < 3'000'000) {
    }
  }
  registry().retire(token);
  ASSERT_TRUE(number_is_used_again(token));
  EXPECT_GE(registry().retired_totals().cpu_time_nanos - before, burnt);
}

TEST(Retiring, TwoHundredThousandGroupsComeAndGoWithoutGrowth) {
  expect_success(run_in_child([] {
    constexpr std::size_t kGroups = 200'000;
    const ResourceStatsSnapshot before = registry().totals();
    testing::ProcessSize warm;
    std::size_t warm_numbers = 0;
    for (std::size_t i = 0; i < kGroups; ++i) {
      if (i == kGroups / 4) {
        warm = testing::process_size();
        warm_numbers = groups::group_table().first_unused();
      }
      // Of lengths between 20 and 1,000 bytes, so that the names' memory has to be used again too.
      const std::string name = "passing." + std::to_string(i) + std::string(i * 7919 % 960, '.');
      const ResourceGroupToken token = registry().register_resource_group(name);
      ASSERT_NE(token, ResourceGroupToken::root());
      {
        const ResourceTrackingGuard guard = token.enter();
        groups::charge_allocation(i);
      }
      groups::charge_release(token.index(), i);
      ASSERT_TRUE(registry().retire(token));
    }
    const testing::ProcessSize last = testing::process_size();
    EXPECT_EQ(groups::group_table().first_unused(), warm_numbers);
    if (!testing::kSanitized) {
      EXPECT_LE(last.resident_bytes, warm.resident_bytes + (std::uint64_t{256} << 10));
      EXPECT_LE(last.mapped_bytes, warm.mapped_bytes + (std::uint64_t{256} << 10));
    }
    EXPECT_EQ(registry().totals().live_bytes(), before.live_bytes());
    EXPECT_EQ(since(registry().totals(), before).allocated_objects, kGroups);
    EXPECT_GE(registry().retired_totals().allocated_objects, kGroups - 1'000);
  }));
}

TEST(Retiring, AGroupRegisteredInsideAVisitIsNotShownTheFiguresOfTheOneThatHadItsNumber) {
  std::vector<ResourceGroupToken> former;
  for (int i = 0; i < 300; ++i) {
    former.push_back(registry().register_resource_group("test.former." + std::to_string(i)));
    const ResourceTrackingGuard guard = former.back().enter();
    groups::charge_allocation(1'000);
    groups::charge_release(former.back().index(), 1'000);
  }
  for (const ResourceGroupToken token : former) registry().retire(token);
  bool first = true;
  std::size_t wrong = 0;
  registry().visit_resource_groups([&](std::string_view name, const ResourceStats& stats) {
    if (first && name.starts_with("test.former")) {
      for (int i = 0; i < 400; ++i) static_cast<void>(fresh_group("newcomer"));
      first = false;
    }
    if (name.starts_with("test.newcomer") && stats.totals() != ResourceStatsSnapshot::empty()) ++wrong;
  });
  EXPECT_FALSE(first) << "the former groups hold nothing, but are still there when the visit begins";
  EXPECT_EQ(wrong, 0U);
}

}  // namespace
}  // namespace bursar
