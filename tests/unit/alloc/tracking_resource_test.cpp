#include <bursar/alloc/tracking_resource.h>

#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <new>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include <bursar/groups/resource_group_registry.h>
#include <gtest/gtest.h>

#include "unit/groups/registry_probe.h"

namespace bursar {
namespace {

using testing::fresh_group;

ResourceStatsSnapshot figures(ResourceGroupToken token) {
  return testing::without_cpu(token.stats().totals());
}

TEST(TrackingResource, ChargesItsGroupWhereverTheThreadIs) {
  const ResourceGroupToken owner = fresh_group("owner");
  const ResourceGroupToken elsewhere = fresh_group("elsewhere");
  TrackingResource resource(owner);
  void* block = nullptr;
  {
    const ResourceTrackingGuard guard = elsewhere.enter();
    block = resource.allocate(100, 8);
    EXPECT_EQ(ResourceGroupToken::current(), elsewhere);
  }
  EXPECT_EQ(figures(owner), (ResourceStatsSnapshot{.allocated_bytes = 100, .allocated_objects = 1}));
  std::thread([&] { resource.deallocate(block, 100, 8); }).join();
  EXPECT_EQ(figures(owner).live_bytes(), 0U);
  EXPECT_EQ(figures(owner).deallocated_objects, 1U);
  EXPECT_EQ(figures(elsewhere), ResourceStatsSnapshot::empty());
}

TEST(TrackingResource, ChargesFromAThreadThatNeverWasInTheGroup) {
  const ResourceGroupToken owner = fresh_group("owner");
  TrackingResource resource(owner);
  std::thread([&] { resource.deallocate(resource.allocate(40, 8), 40, 8); }).join();
  EXPECT_EQ(figures(owner).allocated_bytes, 40U);
  EXPECT_EQ(figures(owner).live_bytes(), 0U);
}

TEST(TrackingResource, UnderAnArenaChargesItsChunks) {
  const ResourceGroupToken owner = fresh_group("arena");
  TrackingResource resource(owner);
  {
    std::pmr::monotonic_buffer_resource arena(1'024, &resource);
    std::pmr::vector<std::pmr::string> strings(&arena);
    for (int i = 0; i < 1'000; ++i) strings.emplace_back("a string that is long enough to be on the heap");
    EXPECT_GE(figures(owner).live_bytes(), 1'000U * 46);
    EXPECT_LT(figures(owner).live_objects(), 30U);
  }
  EXPECT_EQ(figures(owner).live_bytes(), 0U);
  EXPECT_EQ(figures(owner).live_objects(), 0U);
}

TEST(TrackingResource, UnderContainersIsExact) {
  const ResourceGroupToken owner = fresh_group("containers");
  TrackingResource resource(owner);
  {
    std::pmr::unordered_map<int, std::pmr::vector<int>> map(&resource);
    for (int i = 0; i < 500; ++i) map[i].resize(static_cast<std::size_t>(i));
    for (int i = 0; i < 500; i += 2) map.erase(i);
    EXPECT_GE(figures(owner).live_bytes(), 250U * 250 * sizeof(int));
    std::pmr::vector<double> vector(1'000, &resource);
    EXPECT_GE(figures(owner).live_bytes(), 8'000U);
  }
  EXPECT_EQ(figures(owner).live_bytes(), 0U);
}

TEST(TrackingResource, AlignsAsItIsAsked) {
  TrackingResource resource(fresh_group());
  for (std::size_t alignment = 1; alignment <= 4'096; alignment *= 2) {
    void* block = resource.allocate(10, alignment);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % alignment, 0U);
    resource.deallocate(block, 10, alignment);
  }
}

TEST(TrackingResource, EqualsItselfAlone) {
  const ResourceGroupToken owner = fresh_group();
  const TrackingResource one(owner);
  const TrackingResource other(owner);
  EXPECT_TRUE(one.is_equal(one));
  EXPECT_FALSE(one.is_equal(other));
}

TEST(TrackingResource, AnUpstreamThatThrowsLeavesTheBooksAsTheyWere) {
  const ResourceGroupToken owner = fresh_group();
  TrackingResource resource(owner, std::pmr::null_memory_resource());
  EXPECT_THROW(static_cast<void>(resource.allocate(10, 8)), std::bad_alloc);
  EXPECT_EQ(figures(owner), ResourceStatsSnapshot::empty());
  EXPECT_EQ(ResourceGroupToken::current(), ResourceGroupToken::root());
}

TEST(TrackingResource, KeepsItsGroupsNumberWhileItLives) {
  const ResourceGroupToken owner = fresh_group();
  {
    TrackingResource resource(owner);
    ResourceGroupRegistry::global().retire(owner);
    EXPECT_FALSE(testing::number_is_used_again(owner));
    void* block = resource.allocate(10, 8);
    resource.deallocate(block, 10, 8);
  }
  EXPECT_TRUE(testing::number_is_used_again(owner));
}

TEST(TrackingResource, OfAStaleTokenChargesRoot) {
  const ResourceGroupToken stale = fresh_group();
  ResourceGroupRegistry::global().retire(stale);
  TrackingResource resource(stale);
  const std::uint64_t before = ResourceGroupToken::root().stats().totals().live_bytes();
  void* block = resource.allocate(123, 8);
  EXPECT_EQ(ResourceGroupToken::root().stats().totals().live_bytes(), before + 123);
  resource.deallocate(block, 123, 8);
}

}  // namespace
}  // namespace bursar
