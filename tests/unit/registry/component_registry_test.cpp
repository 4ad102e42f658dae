#include <bursar/alloc/tracking_resource.h>
#include <bursar/groups/resource_group_registry.h>
#include <bursar/registry/component_registry.h>

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace bursar {
namespace {

bool group_exists(std::string_view wanted) {
  bool found = false;
  ResourceGroupRegistry::global().visit_resource_groups(
      [&](std::string_view name, const ResourceStats&) { found |= name == wanted; });
  return found;
}

// Memory charged to a group for as long as this lives.
class ChargedBlock {
 public:
  ChargedBlock(ResourceGroupToken token, std::size_t bytes)
      : resource_(token), bytes_(bytes), block_(resource_.allocate(bytes)) {}
  ~ChargedBlock() { resource_.deallocate(block_, bytes_); }
  ChargedBlock(const ChargedBlock&) = delete;
  ChargedBlock& operator=(const ChargedBlock&) = delete;

 private:
  TrackingResource resource_;
  std::size_t bytes_;
  void* block_;
};

struct Buffer {
  void specify_bounds(MemoryBoundsBuilder& builder) const { builder.minimum().with_fixed_amount("buffer", 4096); }
};

TEST(ComponentRegistry, APathMakesEachLevelOnce) {
  const ComponentRegistry registry;
  EXPECT_EQ(registry.get_or_create("a.b.c").full_name(), "a.b.c");
  EXPECT_EQ(registry.get_or_create("a.b.c").full_name(), "a.b.c");
  EXPECT_EQ(registry.get_or_create("a").get_or_create("b").get_or_create("c").full_name(), "a.b.c");
  const ComponentBounds bounds = registry.as_bounds();
  ASSERT_EQ(bounds.subcomponents().size(), 1U);
  const ComponentBounds& a = bounds.subcomponents()[0].bounds;
  ASSERT_EQ(a.subcomponents().size(), 1U);
  EXPECT_EQ(a.subcomponents()[0].name, "b");
  ASSERT_EQ(a.subcomponents()[0].bounds.subcomponents().size(), 1U);
}

TEST(ComponentRegistry, TheRootIsCalledRoot) {
  EXPECT_EQ(ComponentRegistry().full_name(), "root");
}

TEST(ComponentRegistry, APathIsTakenFromTheComponentThatItIsAskedOf) {
  const ComponentRegistry registry;
  const ComponentRegistry topology = registry.get_or_create("topology");
  topology.get_or_create("sources.udp").bounds_builder().minimum().with_fixed_amount("x", 7);
  EXPECT_EQ(registry.get_or_create("topology.sources.udp").as_bounds().total_minimum_required_bytes(), 7U);
  EXPECT_EQ(topology.as_bounds().total_minimum_required_bytes(), 7U);
}

TEST(ComponentRegistry, EveryDepthLeadsToTheRoot) {
  const ComponentRegistry registry;
  const ComponentRegistry deep = registry.get_or_create("a.b.c");
  registry.bounds_builder().minimum().with_fixed_amount("x", 1);
  registry.get_or_create("d").bounds_builder().minimum().with_fixed_amount("x", 10);
  EXPECT_EQ(deep.root().as_bounds().total_minimum_required_bytes(), 11U);
  EXPECT_EQ(registry.root().as_bounds().total_minimum_required_bytes(), 11U);
}

TEST(ComponentRegistry, AComponentOwnsTheTreeTogetherWithTheOthers) {
  auto registry = std::make_unique<ComponentRegistry>();
  registry->get_or_create("other").bounds_builder().minimum().with_fixed_amount("x", 5);
  auto component = std::make_unique<ComponentRegistry>(registry->get_or_create("a.b"));
  const MemoryBoundsBuilder builder = component->bounds_builder();
  const ComponentRegistryHandle handle = component->root();
  registry.reset();
  component.reset();
  builder.minimum().with_fixed_amount("x", 6);
  EXPECT_EQ(handle.as_bounds().total_minimum_required_bytes(), 11U);
}

TEST(ComponentRegistry, TheBuilderDeclaresTheBoundsOfItsComponent) {
  const ComponentRegistry registry;
  const ComponentRegistry component = registry.get_or_create("a");
  component.bounds_builder().with_subcomponent("buffer", Buffer());
  EXPECT_EQ(registry.get_or_create("a.buffer").as_bounds().total_minimum_required_bytes(), 4096U);
}

TEST(ComponentRegistry, ResetLetsBoundsBeDeclaredAnew) {
  const ComponentRegistry registry;
  const ComponentRegistry component = registry.get_or_create("a");
  component.bounds_builder().minimum().with_fixed_amount("x", 1);
  component.bounds_builder().reset();
  EXPECT_EQ(registry.as_bounds().total_minimum_required_bytes(), 0U);
  component.bounds_builder().minimum().with_fixed_amount("x", 2);
  EXPECT_EQ(registry.as_bounds().total_minimum_required_bytes(), 2U);
}

TEST(ComponentRegistry, ATokenIsRegisteredUnderTheFullNameWhenFirstAskedFor) {
  const ComponentRegistry registry;
  const ComponentRegistry component = registry.get_or_create("token_test.sources.udp");
  EXPECT_FALSE(group_exists("token_test.sources.udp"));
  const ResourceGroupToken token = component.token();
  EXPECT_EQ(token.name(), "token_test.sources.udp");
  EXPECT_TRUE(group_exists("token_test.sources.udp"));
  EXPECT_FALSE(group_exists("token_test.sources"));
  EXPECT_FALSE(group_exists("token_test"));
}

TEST(ComponentRegistry, AComponentHasOneToken) {
  const ComponentRegistry registry;
  const ResourceGroupToken token = registry.get_or_create("one_token.a").token();
  EXPECT_EQ(registry.get_or_create("one_token").get_or_create("a").token(), token);
  EXPECT_NE(registry.get_or_create("one_token.b").token(), token);
}

TEST(ComponentRegistry, TheRootsTokenIsThatOfTheGroupRoot) {
  EXPECT_EQ(ComponentRegistry().token(), ResourceGroupToken::root());
}

TEST(ComponentRegistry, ATokenIsGoodAgainAfterItsGroupWasRetired) {
  const ComponentRegistry component = ComponentRegistry().get_or_create("retired_and_back");
  ASSERT_TRUE(ResourceGroupRegistry::global().retire(component.token()));
  EXPECT_EQ(component.token().name(), "retired_and_back");
  EXPECT_TRUE(group_exists("retired_and_back"));
}

TEST(ComponentRegistry, ANameThatIsNoneThrowsAndMakesNothing) {
  const ComponentRegistry registry;
  for (const std::string& name :
       {std::string(), std::string("."), std::string("a..b"), std::string(".a"), std::string("a."), std::string("root"),
        std::string("root.a"), std::string(1024, 'x')}) {
    EXPECT_THROW(registry.get_or_create(name), std::invalid_argument) << name;
  }
  EXPECT_TRUE(registry.as_bounds().subcomponents().empty());
}

TEST(ComponentRegistry, ANameThatIsNoneIsAnErrorByValue) {
  using enum ComponentNameError::Reason;
  const ComponentRegistry registry;
  EXPECT_EQ(registry.try_get_or_create("").error().reason, EmptyName);
  EXPECT_EQ(registry.try_get_or_create("a..b").error().reason, EmptySegment);
  EXPECT_EQ(registry.try_get_or_create("root").error().reason, ReservedName);
  EXPECT_EQ(registry.try_get_or_create(std::string(1024, 'x')).error().reason, TooLong);
  EXPECT_EQ(registry.try_get_or_create("a.b").value().full_name(), "a.b");
}

TEST(ComponentRegistry, TheExceptionSaysWhatIsWrongAndWhatIsRight) {
  try {
    (void)ComponentRegistry().get_or_create("a..b");
    FAIL() << "no exception";
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(),
                 "the component name \"a..b\" has an empty segment: write single dots between segments, such as "
                 "topology.sources.udp");
  }
}

TEST(ComponentRegistry, TheLongestNameOfAComponentIsGoodForItsGroup) {
  const std::string name(ResourceGroupRegistry::kMaxNameLength, 'n');
  EXPECT_EQ(ComponentRegistry().get_or_create(name).token().name(), name);
}

TEST(ComponentRegistryHandle, VerifiesTheWholeTree) {
  const ComponentRegistry registry;
  registry.get_or_create("a").bounds_builder().minimum().with_fixed_amount("x", 10);
  registry.get_or_create("b").bounds_builder().firm().with_fixed_amount("x", 20);
  const ComponentRegistryHandle handle = registry.get_or_create("a").root();
  EXPECT_EQ(handle.verify_bounds(MemoryGrant::effective(30).value()).value().total_firm_limit_bytes(), 30U);
  const auto firm = handle.verify_bounds(MemoryGrant::effective(29).value());
  EXPECT_EQ(firm.error().kind(), VerifierError::FirmLimitExceedsAvailable);
  const auto minimum = handle.verify_bounds(MemoryGrant::effective(9).value());
  EXPECT_EQ(minimum.error().kind(), VerifierError::InsufficientMinimumMemory);
}

TEST(MemoryStatus, HasAnEntryForEachComponentSortedByFullName) {
  const ComponentRegistry registry;
  registry.get_or_create("status.b").bounds_builder().minimum().with_fixed_amount("x", 10);
  registry.get_or_create("status.b").bounds_builder().firm().with_fixed_amount("x", 5);
  registry.get_or_create("status-a");
  const std::string json = registry.root().memory_snapshot_json();
  const std::string root = R"({"root": {"minimum_required_bytes": 0, "firm_limit_bytes": 0, "actual_live_bytes": )";
  ASSERT_TRUE(json.starts_with(root)) << json;
  EXPECT_EQ(json.substr(json.find('}')),
            R"(}, "status": {"minimum_required_bytes": 0, "firm_limit_bytes": 0, "actual_live_bytes": 0}, )"
            R"("status-a": {"minimum_required_bytes": 0, "firm_limit_bytes": 0, "actual_live_bytes": 0}, )"
            R"("status.b": {"minimum_required_bytes": 10, "firm_limit_bytes": 5, "actual_live_bytes": 0}})");
}

TEST(MemoryStatus, LiveBytesAreThoseOfTheComponentsOwnGroup) {
  const ComponentRegistry registry;
  const ComponentRegistry parent = registry.get_or_create("live_bytes");
  const ComponentRegistry child = registry.get_or_create("live_bytes.child");
  {
    const ChargedBlock block(child.token(), 5000);
    const auto json = nlohmann::json::parse(registry.root().memory_snapshot_json());
    EXPECT_EQ(json.at("live_bytes.child").at("actual_live_bytes"), 5000);
    EXPECT_EQ(json.at("live_bytes").at("actual_live_bytes"), 0);
  }
  const auto json = nlohmann::json::parse(registry.root().memory_snapshot_json());
  EXPECT_EQ(json.at("live_bytes.child").at("actual_live_bytes"), 0);
}

TEST(MemoryStatus, ReadingItRegistersNoGroupAndMakesNoComponent) {
  const ResourceGroupToken foreign = ResourceGroupRegistry::global().register_resource_group("nobodys_component");
  const ComponentRegistry registry;
  registry.get_or_create("reading_changes_nothing");
  const std::string before = registry.root().memory_snapshot_json();
  EXPECT_EQ(registry.root().memory_snapshot_json(), before);
  EXPECT_FALSE(group_exists("reading_changes_nothing"));
  EXPECT_EQ(registry.as_bounds().subcomponents().size(), 1U);
  EXPECT_EQ(foreign.name(), "nobodys_component");
}

TEST(MemoryStatus, ANameOfAnyBytesGivesValidJson) {
  const ComponentRegistry registry;
  registry.get_or_create("quote\"backslash\\newline\n");
  registry.get_or_create("broken\xff");
  registry.get_or_create(std::string_view("nul\0", 4));
  const auto json = nlohmann::json::parse(registry.root().memory_snapshot_json());
  EXPECT_EQ(json.size(), 4U);
  EXPECT_TRUE(json.contains("quote\"backslash\\newline\n"));
  EXPECT_TRUE(json.contains("broken\xef\xbf\xbd"));
  EXPECT_TRUE(json.contains(std::string("nul\0", 4)));
}

TEST(RegistrySnapshot, JoinsBoundsAndUsageInATree) {
  const ComponentRegistry registry;
  registry.bounds_builder().minimum().with_fixed_amount("x", 1);
  const ComponentRegistry parent = registry.get_or_create("snapshot_tree");
  const ComponentRegistry child = registry.get_or_create("snapshot_tree.child");
  parent.bounds_builder().minimum().with_fixed_amount("x", 10);
  parent.bounds_builder().firm().with_fixed_amount("x", 20);
  child.bounds_builder().minimum().with_fixed_amount("x", 100);
  const ChargedBlock parents(parent.token(), 1000);
  const ChargedBlock childs(child.token(), 4000);

  const RegistrySnapshot snapshot = registry.root().snapshot();
  EXPECT_EQ(snapshot.root.name, "root");
  EXPECT_EQ(snapshot.root.full_name, "root");
  EXPECT_EQ(snapshot.root.minimum_required_bytes, 1U);
  EXPECT_EQ(snapshot.root.total_firm_limit_bytes, 131U);
  ASSERT_TRUE(snapshot.root.usage.has_value());
  ASSERT_EQ(snapshot.root.subcomponents.size(), 1U);

  const ComponentSnapshot& shown_parent = snapshot.root.subcomponents[0];
  EXPECT_EQ(shown_parent.name, "snapshot_tree");
  EXPECT_EQ(shown_parent.full_name, "snapshot_tree");
  EXPECT_EQ(shown_parent.minimum_required_bytes, 10U);
  EXPECT_EQ(shown_parent.firm_limit_bytes, 20U);
  EXPECT_EQ(shown_parent.limit_bytes, 30U);
  EXPECT_EQ(shown_parent.total_minimum_required_bytes, 110U);
  EXPECT_EQ(shown_parent.total_firm_limit_bytes, 130U);
  EXPECT_EQ(shown_parent.usage.value().live_bytes(), 1000U);
  EXPECT_EQ(shown_parent.total_usage.live_bytes(), 5000U);
  EXPECT_EQ(shown_parent.total_usage.live_objects(), 2U);
  ASSERT_EQ(shown_parent.subcomponents.size(), 1U);

  const ComponentSnapshot& shown_child = shown_parent.subcomponents[0];
  EXPECT_EQ(shown_child.name, "child");
  EXPECT_EQ(shown_child.full_name, "snapshot_tree.child");
  EXPECT_EQ(shown_child.usage.value().live_bytes(), 4000U);
  EXPECT_EQ(shown_child.total_usage, shown_child.usage.value());
}

TEST(RegistrySnapshot, AComponentWithoutAGroupHasNoUsage) {
  const ComponentRegistry registry;
  registry.get_or_create("without_group");
  const RegistrySnapshot snapshot = registry.root().snapshot();
  EXPECT_FALSE(snapshot.root.subcomponents.at(0).usage.has_value());
  EXPECT_EQ(snapshot.root.subcomponents.at(0).total_usage, ResourceStatsSnapshot::empty());
}

TEST(RegistrySnapshot, AGroupThatWasRegisteredByNameIsItsComponents) {
  const ResourceGroupToken token = ResourceGroupRegistry::global().register_resource_group("registered_by_name");
  const ComponentRegistry registry;
  registry.get_or_create("registered_by_name");
  const ChargedBlock block(token, 700);
  const RegistrySnapshot snapshot = registry.root().snapshot();
  EXPECT_EQ(snapshot.root.subcomponents.at(0).usage.value().live_bytes(), 700U);
}

TEST(RegistrySnapshot, EveryGroupIsCountedExactlyOnce) {
  const ComponentRegistry registry;
  const ComponentRegistry claimed = registry.get_or_create("counted_once.claimed");
  const ChargedBlock claimed_block(claimed.token(), 100);
  const ChargedBlock other_block(ResourceGroupRegistry::global().register_resource_group("counted_once.other"), 200);

  const RegistrySnapshot snapshot = registry.root().snapshot();
  ResourceStatsSnapshot sum = snapshot.root.total_usage;
  std::set<std::string> others;
  for (const auto& [name, usage, peak, entries] : snapshot.other_groups) {
    sum.merge(usage);
    EXPECT_GE(peak, usage.live_bytes()) << name;
    EXPECT_TRUE(others.insert(name).second) << name;
    if (name == "counted_once.other") {
      EXPECT_EQ(usage.live_bytes(), 200U);
      EXPECT_GT(entries, 0U);
    }
  }
  EXPECT_TRUE(others.contains("counted_once.other"));
  EXPECT_FALSE(others.contains("counted_once.claimed"));
  EXPECT_FALSE(others.contains("root"));

  ResourceStatsSnapshot visited;
  ResourceGroupRegistry::global().visit_resource_groups(
      [&](std::string_view, const ResourceStats& stats) { visited.merge(stats.totals()); });
  EXPECT_EQ(sum.allocated_bytes, visited.allocated_bytes);
  EXPECT_EQ(sum.deallocated_bytes, visited.deallocated_bytes);
}

TEST(ComponentRegistryThreads, MakingTheSameComponentsAtOnceMakesEachOnce) {
  constexpr std::size_t kThreads = 4;
  const ComponentRegistry registry;
  std::vector<std::vector<ResourceGroupToken>> tokens(kThreads);
  {
    std::vector<std::jthread> threads;
    for (std::size_t thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&registry, &tokens, thread] {
        for (int index = 0; index < 50; ++index) {
          const std::string name = "made_at_once.level" + std::to_string(index % 5) + ".leaf" + std::to_string(index);
          const ComponentRegistry component = registry.get_or_create(name);
          tokens[thread].push_back(component.token());
          component.bounds_builder().minimum().with_fixed_amount("x", 1);
        }
      });
    }
  }
  for (std::size_t thread = 1; thread < kThreads; ++thread) EXPECT_EQ(tokens[thread], tokens[0]);
  EXPECT_EQ(registry.as_bounds().total_minimum_required_bytes(), kThreads * 50);
  const ComponentBounds bounds = registry.as_bounds();
  ASSERT_EQ(bounds.subcomponents().size(), 1U);
  EXPECT_EQ(bounds.subcomponents()[0].bounds.subcomponents().size(), 5U);
}

TEST(ComponentRegistryThreads, ReadersSeeWholeTreesWhileOthersDeclare) {
  const ComponentRegistry registry;
  std::jthread writer([&registry] {
    for (int round = 0; round < 300; ++round) {
      const ComponentRegistry component = registry.get_or_create("declared.c" + std::to_string(round % 20));
      component.bounds_builder().minimum().with_fixed_amount("x", 10);
      component.bounds_builder().reset();
    }
  });
  for (int round = 0; round < 100; ++round) {
    const RegistrySnapshot snapshot = registry.root().snapshot();
    EXPECT_LE(snapshot.root.total_minimum_required_bytes, 10U);
    EXPECT_TRUE(nlohmann::json::accept(registry.root().memory_snapshot_json()));
    EXPECT_TRUE(registry.root().verify_bounds(MemoryGrant::effective(10).value()).has_value());
  }
}

}  // namespace
}  // namespace bursar
