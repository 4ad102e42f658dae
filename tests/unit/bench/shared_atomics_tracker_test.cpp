#include "shared_atomics_tracker.h"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <thread>

#include "block_sizes.h"
#include "handover.h"

// The design that ours is compared with has to do its work, or the comparison is worth nothing.

namespace bursar::bench {
namespace {

constexpr std::size_t kTrailerBytes = 8;

TEST(SharedAtomicsTracker, ChargesRequestAndTrailerToTheGroupThatTheThreadIsIn) {
  SharedGroup group;
  const SharedAtomicsTracker::Guard guard(group);
  void* block = SharedAtomicsTracker::allocate(61);
  EXPECT_EQ(group.allocated_bytes, 64 + kTrailerBytes);
  EXPECT_EQ(group.allocated_objects, 1U);
  SharedAtomicsTracker::release(block, 61);
  EXPECT_EQ(group.deallocated_bytes, 64 + kTrailerBytes);
  EXPECT_EQ(group.deallocated_objects, 1U);
}

TEST(SharedAtomicsTracker, BlockFreedByAnotherThreadInAnotherGroupCreditsItsOwner) {
  SharedGroup owner;
  SharedGroup other;
  void* block = nullptr;
  {
    const SharedAtomicsTracker::Guard guard(owner);
    block = SharedAtomicsTracker::allocate(100);
  }
  std::thread([&] {
    const SharedAtomicsTracker::Guard guard(other);
    SharedAtomicsTracker::release(block, 100);
  }).join();
  EXPECT_EQ(owner.deallocated_bytes, owner.allocated_bytes);
  EXPECT_EQ(other.deallocated_objects, 0U);
}

TEST(SharedAtomicsTracker, InnerGuardChargesUntilItEnds) {
  SharedGroup outer;
  SharedGroup inner;
  const SharedAtomicsTracker::Guard outer_guard(outer);
  void* in_inner = nullptr;
  {
    const SharedAtomicsTracker::Guard inner_guard(inner);
    in_inner = SharedAtomicsTracker::allocate(8);
  }
  void* in_outer = SharedAtomicsTracker::allocate(8);
  EXPECT_EQ(inner.allocated_objects, 1U);
  EXPECT_EQ(outer.allocated_objects, 1U);
  SharedAtomicsTracker::release(in_inner, 8);
  SharedAtomicsTracker::release(in_outer, 8);
}

TEST(SharedAtomicsTracker, ReallocatedBlockKeepsItsBytesAndTheOldOneIsCredited) {
  SharedGroup group;
  const SharedAtomicsTracker::Guard guard(group);
  void* block = SharedAtomicsTracker::allocate(4);
  std::memcpy(block, "abc", 4);
  block = SharedAtomicsTracker::reallocate(block, 4, 4096);
  EXPECT_STREQ(static_cast<const char*>(block), "abc");
  EXPECT_EQ(group.deallocated_bytes, 8 + kTrailerBytes);
  SharedAtomicsTracker::release(block, 4096);
  EXPECT_EQ(group.deallocated_bytes, group.allocated_bytes);
}

TEST(SharedAtomicsTracker, ZeroedBlockIsZero) {
  SharedGroup group;
  const SharedAtomicsTracker::Guard guard(group);
  void* dirty = SharedAtomicsTracker::allocate(32);
  std::memset(dirty, 0xff, 32);
  SharedAtomicsTracker::release(dirty, 32);
  auto* block = static_cast<unsigned char*>(SharedAtomicsTracker::allocate_zeroed(32));
  for (std::size_t i = 0; i < 32; ++i) EXPECT_EQ(block[i], 0) << i;
  SharedAtomicsTracker::release(block, 32);
}

TEST(Handover, EveryBlockArrivesOnceAndInOrder) {
  static Handover handover;
  static std::array<int, 10'000> blocks{};
  std::thread producer([] {
    for (int& block : blocks) handover.put(&block);
  });
  for (int& block : blocks) ASSERT_EQ(handover.take(), &block);
  producer.join();
}

TEST(BlockSizes, AreSpreadAsTheTableOfTheComparisonSays) {
  const BlockSizes sizes;
  std::array<double, 4> counts{};
  for (std::size_t i = 0; i < BlockSizes::kCount; ++i) {
    ASSERT_GE(sizes[i], 16U);
    ASSERT_LE(sizes[i], 65536U);
    ++counts[sizes[i] <= 64 ? 0 : sizes[i] <= 512 ? 1 : sizes[i] <= 4096 ? 2 : 3];
  }
  EXPECT_NEAR(counts[0] / BlockSizes::kCount, 0.60, 0.02);
  EXPECT_NEAR(counts[1] / BlockSizes::kCount, 0.30, 0.02);
  EXPECT_NEAR(counts[2] / BlockSizes::kCount, 0.09, 0.02);
  EXPECT_NEAR(counts[3] / BlockSizes::kCount, 0.01, 0.005);
}

}  // namespace
}  // namespace bursar::bench
