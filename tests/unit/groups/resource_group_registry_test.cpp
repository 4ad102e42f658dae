#include <bursar/groups/resource_group_registry.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <bursar/groups/thread_account.h>
#include <gtest/gtest.h>

#include "unit/groups/child_process.h"
#include "unit/groups/registry_probe.h"

namespace bursar {
namespace {

using testing::expect_success;
using testing::figures_of;
using testing::fresh_group;
using testing::fresh_name;
using testing::run_in_child;
using testing::visited_figures;
using testing::without_cpu;

ResourceGroupRegistry& registry() {
  return ResourceGroupRegistry::global();
}

std::size_t count_of(std::string_view text, std::string_view wanted) {
  std::size_t count = 0;
  for (std::size_t at = text.find(wanted); at != text.npos; at = text.find(wanted, at + 1)) ++count;
  return count;
}

TEST(ResourceGroupRegistry, IsOne) {
  EXPECT_EQ(&ResourceGroupRegistry::global(), &ResourceGroupRegistry::global());
}

TEST(ResourceGroupRegistry, TheSameNameGivesTheSameToken) {
  const std::string name = fresh_name();
  const ResourceGroupToken first = registry().register_resource_group(name);
  EXPECT_EQ(registry().register_resource_group(std::string(name)), first);
  EXPECT_NE(registry().register_resource_group(name + "x"), first);
  EXPECT_NE(first, ResourceGroupToken::root());
}

TEST(ResourceGroupRegistry, SeveralThreadsThatRegisterTheSameNamesGetTheSameTokens) {
  constexpr std::size_t kThreads = 4;
  constexpr std::size_t kNames = 300;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < kNames; ++i) names.push_back(fresh_name("shared"));
  std::vector<std::vector<ResourceGroupToken>> tokens(kThreads, std::vector<ResourceGroupToken>(kNames));
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = 0; i < kNames; ++i) {
        const std::size_t which = t % 2 == 0 ? i : kNames - 1 - i;
        tokens[t][which] = registry().register_resource_group(names[which]);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t t = 1; t < kThreads; ++t) EXPECT_EQ(tokens[t], tokens[0]);
  const std::set<std::uint16_t> distinct = [&] {
    std::set<std::uint16_t> numbers;
    for (const ResourceGroupToken token : tokens[0]) numbers.insert(token.index());
    return numbers;
  }();
  EXPECT_EQ(distinct.size(), kNames);
}

TEST(ResourceGroupRegistry, VisitsRootFirstAndOnceThenInTheOrderOfNumbers) {
  for (int i = 0; i < 3; ++i) static_cast<void>(fresh_group());
  std::vector<std::string> names;
  registry().visit_resource_groups([&](std::string_view name, const ResourceStats&) { names.emplace_back(name); });
  ASSERT_GE(names.size(), 4U);
  EXPECT_EQ(names.front(), "root");
  EXPECT_EQ(std::count(names.begin(), names.end(), "root"), 1);
  std::vector<std::uint16_t> numbers;
  for (const std::string& name : names) numbers.push_back(registry().register_resource_group(name).index());
  EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end()));
}

TEST(ResourceGroupRegistry, RootIsAGroupLikeAnyOtherByItsName) {
  EXPECT_EQ(registry().register_resource_group("root"), ResourceGroupToken::root());
  EXPECT_FALSE(registry().retire(ResourceGroupToken::root()));
  EXPECT_EQ(ResourceGroupToken::root().name(), "root");
  EXPECT_EQ(registry().rejected_groups(), 0U) << "asking for root by name is no error";
}

TEST(ResourceGroupRegistry, RegisteringInsideAVisitWorks) {
  const std::string name = fresh_name("registered_inside");
  ResourceGroupToken inside;
  registry().visit_resource_groups([&](std::string_view, const ResourceStats&) {
    inside = registry().register_resource_group(name);
    EXPECT_EQ(inside.name(), name);
  });
  EXPECT_NE(inside, ResourceGroupToken::root());
  EXPECT_TRUE(figures_of(name).has_value());
}

TEST(ResourceGroupRegistry, RegisteringManyInsideAVisitEnds) {
  std::size_t registered = 0;
  registry().visit_resource_groups([&](std::string_view, const ResourceStats&) {
    if (registered++ < 500) static_cast<void>(fresh_group("many_inside"));
  });
  EXPECT_GT(registered, 500U) << "groups registered in the visit with later numbers are visited too";
}

TEST(ResourceGroupRegistry, RetiringInsideAVisitWorks) {
  std::vector<ResourceGroupToken> tokens;
  for (int i = 0; i < 200; ++i) tokens.push_back(fresh_group("retired_inside"));
  std::size_t retired = 0;
  registry().visit_resource_groups([&](std::string_view, const ResourceStats&) {
    for (const ResourceGroupToken token : tokens) {
      if (registry().retire(token)) ++retired;
    }
  });
  EXPECT_EQ(retired, tokens.size());
}

TEST(ResourceGroupRegistry, VisitingInsideAVisitWorks) {
  const std::string name = fresh_name();
  static_cast<void>(registry().register_resource_group(name));
  bool found = false;
  registry().visit_resource_groups(
      [&](std::string_view, const ResourceStats&) { found = found || figures_of(name).has_value(); });
  EXPECT_TRUE(found);
}

TEST(ResourceGroupRegistry, TheVisitorMayBeAnyCallable) {
  struct Counting {
    mutable std::size_t count = 0;
    void operator()(std::string_view, const ResourceStats&) const { ++count; }
  };
  const Counting counting;
  registry().visit_resource_groups(counting);
  EXPECT_GE(counting.count, 1U);
  static std::size_t visits;
  visits = 0;
  registry().visit_resource_groups(+[](std::string_view, const ResourceStats&) { ++visits; });
  EXPECT_EQ(visits, counting.count);
}

TEST(ResourceGroupNames, OfOneByteUpTo1023BytesAreTaken) {
  for (const std::size_t length : {1U, 2U, 15U, 16U, 17U, 32U, 33U, 255U, 256U, 511U, 512U, 513U, 1022U, 1023U}) {
    const std::string name(length, 'n');
    const ResourceGroupToken token = registry().register_resource_group(name);
    EXPECT_NE(token, ResourceGroupToken::root()) << length;
    EXPECT_EQ(token.name(), name);
    EXPECT_EQ(registry().register_resource_group(name), token);
    EXPECT_TRUE(figures_of(name).has_value()) << length;
  }
}

TEST(ResourceGroupNames, MayHoldAnyBytes) {
  using namespace std::string_view_literals;
  for (const std::string_view name : {"\0"sv, "a\0b"sv, "a\0c"sv, "\xff\xfe"sv, "line\nbreak"sv, "caf\xc3\xa9"sv, " "sv,
                                      "Root"sv, "root "sv, "root\0"sv, "\"quoted\""sv}) {
    const ResourceGroupToken token = registry().register_resource_group(name);
    EXPECT_NE(token, ResourceGroupToken::root()) << name;
    EXPECT_EQ(token.name(), name);
    EXPECT_TRUE(figures_of(name).has_value()) << name;
  }
}

TEST(ResourceGroupNames, AreKeptWhenTheCallersTextIsGone) {
  std::string name = fresh_name("copied");
  const std::string expected = name;
  const ResourceGroupToken token = registry().register_resource_group(name);
  name.assign(name.size(), '#');
  EXPECT_EQ(token.name(), expected);
}

TEST(ResourceGroupNames, ThatAreEmptyOrTooLongAreRootAndCountedAndWarnedOfOnce) {
  const auto outcome = run_in_child([] {
    const std::uint64_t before = registry().rejected_groups();
    const std::size_t groups = visited_figures().size();
    EXPECT_EQ(registry().register_resource_group(""), ResourceGroupToken::root());
    EXPECT_EQ(registry().register_resource_group(std::string_view{}), ResourceGroupToken::root());
    EXPECT_EQ(registry().register_resource_group(std::string(1024, 'x')), ResourceGroupToken::root());
    EXPECT_EQ(registry().register_resource_group(std::string(100'000, 'x')), ResourceGroupToken::root());
    EXPECT_EQ(registry().rejected_groups(), before + 4);
    EXPECT_EQ(visited_figures().size(), groups);
  });
  expect_success(outcome);
  EXPECT_EQ(count_of(outcome.standard_error, "\n"), 1U) << outcome.standard_error;
  EXPECT_EQ(count_of(outcome.standard_error, "bursar: "), 1U) << outcome.standard_error;
  EXPECT_EQ(count_of(outcome.standard_error, "must not be empty"), 1U) << outcome.standard_error;
}

TEST(ResourceGroupNames, AWarningShowsTheBeginningOfTheNameWithoutControlCharacters) {
  const auto outcome = run_in_child(
      [] { static_cast<void>(registry().register_resource_group("\x1b[31mred\n" + std::string(2'000, 'x'))); });
  expect_success(outcome);
  EXPECT_NE(outcome.standard_error.find("'?[31mred?xxx"), std::string::npos) << outcome.standard_error;
  EXPECT_NE(outcome.standard_error.find("1023 bytes at most"), std::string::npos) << outcome.standard_error;
  EXPECT_LT(outcome.standard_error.size(), 256U);
}

TEST(ResourceGroupCapacity, SixtyThousandGroupsAtOnceEachHaveFiguresOfTheirOwn) {
  expect_success(run_in_child([] {
    constexpr std::uint64_t kGroups = 60'000;
    std::vector<ResourceGroupToken> tokens;
    for (std::uint64_t i = 0; i < kGroups; ++i) {
      tokens.push_back(registry().register_resource_group("many." + std::to_string(i)));
      const ResourceTrackingGuard guard = tokens.back().enter();
      groups::charge_allocation(i + 1);
    }
    std::uint64_t visited = 0;
    std::uint64_t wrong = 0;
    registry().visit_resource_groups([&](std::string_view name, const ResourceStats& stats) {
      if (!name.starts_with("many.")) return;
      const std::uint64_t i = std::stoull(std::string(name.substr(5)));
      const ResourceStatsSnapshot expected{.allocated_bytes = i + 1, .allocated_objects = 1};
      ++visited;
      if (without_cpu(stats.totals()) != expected || tokens[i].name() != name) ++wrong;
    });
    EXPECT_EQ(visited, kGroups);
    EXPECT_EQ(wrong, 0U);
  }));
}

// Registers groups until there can be no more, and answers their tokens. The one that was refused is `full.<size>`.
std::vector<ResourceGroupToken> fill_the_registry() {
  std::vector<ResourceGroupToken> tokens;
  for (;;) {
    tokens.push_back(registry().register_resource_group("full." + std::to_string(tokens.size())));
    if (tokens.back() == ResourceGroupToken::root()) break;
  }
  tokens.pop_back();
  return tokens;
}

TEST(ResourceGroupCapacity, PastItGroupsAreRootAndCountedAndWarnedOfOnce) {
  const auto outcome = run_in_child([] {
    const std::vector<ResourceGroupToken> tokens = fill_the_registry();
    EXPECT_GT(tokens.size(), 60'000U);
    EXPECT_EQ(registry().rejected_groups(), 1U);
    EXPECT_EQ(visited_figures().size(), ResourceGroupRegistry::kMaxGroups);
    for (std::uint64_t i = 2; i <= 4; ++i) {
      EXPECT_EQ(registry().register_resource_group("excess." + std::to_string(i)), ResourceGroupToken::root());
      EXPECT_EQ(registry().rejected_groups(), i);
    }
    EXPECT_EQ(registry().register_resource_group("full.7"), tokens[7]) << "known names are still found";

    EXPECT_TRUE(registry().retire(tokens[7]));
    const ResourceGroupToken heir = registry().register_resource_group("heir");
    EXPECT_NE(heir, ResourceGroupToken::root()) << "one that is retired and holds nothing makes room at once";
    EXPECT_EQ(heir.index(), tokens[7].index());
    EXPECT_EQ(registry().register_resource_group("excess.again"), ResourceGroupToken::root());
    EXPECT_EQ(visited_figures().size(), ResourceGroupRegistry::kMaxGroups);
  });
  expect_success(outcome);
  EXPECT_EQ(count_of(outcome.standard_error, "\n"), 1U) << outcome.standard_error;
  EXPECT_NE(outcome.standard_error.find("'full."), std::string::npos) << outcome.standard_error;
  EXPECT_NE(outcome.standard_error.find("65,000"), std::string::npos) << outcome.standard_error;
}

TEST(ResourceGroupCapacity, ARetiredGroupThatStillHoldsABlockMakesNoRoom) {
  const auto outcome = run_in_child([] {
    const std::vector<ResourceGroupToken> tokens = fill_the_registry();
    {
      const ResourceTrackingGuard guard = tokens[0].enter();
      groups::charge_allocation(64);
    }
    EXPECT_TRUE(registry().retire(tokens[0]));
    EXPECT_EQ(registry().register_resource_group("heir"), ResourceGroupToken::root());
    groups::charge_release(tokens[0].index(), 64);
    EXPECT_EQ(registry().register_resource_group("heir").index(), tokens[0].index());
  });
  expect_success(outcome);
}

TEST(ResourceGroupRegistry, SaysThatAllocationsAreNotTrackedWhereTheyAreNot) {
  EXPECT_FALSE(ResourceGroupRegistry::allocator_installed());
}

}  // namespace
}  // namespace bursar
