// How much the calling thread has allocated, whichever group paid.

#include <cstdint>
#include <thread>

#include <bursar/groups/group_presence.h>
#include <bursar/groups/resource_group_token.h>
#include <bursar/groups/thread_account.h>
#include <gtest/gtest.h>

#include "unit/groups/registry_probe.h"

namespace bursar {
namespace {

using groups::bytes_allocated_by_this_thread;
using testing::fresh_group;

constexpr std::uint64_t kFarthestGlanceBytes = groups::ThreadAccount::kFarthestGlanceBytes;

TEST(ThreadGrowth, IsExactForTheGroupThatTheThreadIsIn) {
  const ResourceGroupToken token = fresh_group();
  const ResourceTrackingGuard guard = token.enter();
  const std::uint64_t before = bytes_allocated_by_this_thread();
  std::uint64_t allocated = 0;
  for (std::uint64_t bytes = 1; bytes < 400; ++bytes) {
    groups::charge_allocation(bytes);
    allocated += bytes;
    ASSERT_EQ(bytes_allocated_by_this_thread() - before, allocated);
  }
  groups::charge_release(token.index(), allocated);
  EXPECT_EQ(bytes_allocated_by_this_thread() - before, allocated) << "what is released was allocated all the same";
}

TEST(ThreadGrowth, IsWithinOneGlanceForEachGroupThatTheThreadHasLeft) {
  constexpr std::uint64_t kGroups = 3;
  constexpr std::uint64_t kBytes = 1'000'000;
  const std::uint64_t before = bytes_allocated_by_this_thread();
  for (std::uint64_t group = 0; group < kGroups; ++group) {
    const groups::GroupPresence presence(fresh_group("left"));
    for (std::uint64_t bytes = 0; bytes < kBytes; bytes += 100) groups::charge_allocation_to(presence.group(), 100);
    groups::charge_release(presence.group(), kBytes);
  }
  const std::uint64_t grown = bytes_allocated_by_this_thread() - before;
  // What the thread allocated before, for a group that had the number, may be noted only now.
  EXPECT_LE(grown, kGroups * (kBytes + kFarthestGlanceBytes));
  EXPECT_GE(grown + kGroups * kFarthestGlanceBytes, kGroups * kBytes);
}

TEST(ThreadGrowth, OfOneThreadIsNotThatOfAnother) {
  const std::uint64_t before = bytes_allocated_by_this_thread();
  std::thread([] {
    const ResourceGroupToken token = fresh_group("of_another");
    const ResourceTrackingGuard guard = token.enter();
    groups::charge_allocation(1'000'000);
    groups::charge_release(token.index(), 1'000'000);
  }).join();
  EXPECT_EQ(bytes_allocated_by_this_thread(), before);
}

}  // namespace
}  // namespace bursar
