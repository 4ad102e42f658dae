#include <bursar/alloc/large_block_table.h>

#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace bursar::alloc {
namespace {

// The table never looks at a block, so addresses will do. Those that are 128 GiB apart have the same place.
constexpr std::uintptr_t kPlaceBytes = std::uintptr_t{1} << 17;
constexpr std::uintptr_t kAroundTheTable = std::uintptr_t{1} << 37;

const void* at(std::uintptr_t address) {
  return reinterpret_cast<const void*>(address);
}

class LargeBlocks : public ::testing::Test {
 protected:
  // Eight megabytes of zeros, hence not on the stack.
  std::unique_ptr<LargeBlockTable> table_ = std::make_unique<LargeBlockTable>();
};

TEST_F(LargeBlocks, AreFoundUntilTheyAreErased) {
  EXPECT_FALSE(table_->contains(at(0x7f0000000010)));
  EXPECT_EQ(table_->erase(at(0x7f0000000010)), std::nullopt);
  EXPECT_TRUE(table_->insert(at(0x7f0000000010), 7));
  EXPECT_TRUE(table_->contains(at(0x7f0000000010)));
  EXPECT_FALSE(table_->contains(at(0x7f0000000020))) << "another block in the same place";
  EXPECT_EQ(table_->erase(at(0x7f0000000020)), std::nullopt);
  EXPECT_EQ(table_->erase(at(0x7f0000000010)), 7);
  EXPECT_FALSE(table_->contains(at(0x7f0000000010)));
  EXPECT_EQ(table_->erase(at(0x7f0000000010)), std::nullopt) << "twice";
}

TEST_F(LargeBlocks, KeepOwnersOfAnyNumber) {
  std::uintptr_t address = kPlaceBytes;
  for (const groups::GroupIndex owner :
       std::initializer_list<groups::GroupIndex>{0, 1, 255, 256, 32'767, 32'768, 65'535}) {
    ASSERT_TRUE(table_->insert(at(address), owner));
    EXPECT_EQ(table_->erase(at(address)), owner);
    address += 3 * kPlaceBytes;
  }
}

TEST_F(LargeBlocks, KeepAddressesOfAllBitsThatThereAre) {
  for (const std::uintptr_t address : {std::uintptr_t{0x10}, std::uintptr_t{0x20000}, std::uintptr_t{0x555555554010},
                                       std::uintptr_t{0x7ffffffffff0}}) {
    ASSERT_TRUE(table_->insert(at(address), 9));
    EXPECT_TRUE(table_->contains(at(address)));
  }
  for (const std::uintptr_t address : {std::uintptr_t{0x10}, std::uintptr_t{0x20000}, std::uintptr_t{0x555555554010},
                                       std::uintptr_t{0x7ffffffffff0}}) {
    EXPECT_EQ(table_->erase(at(address)), 9);
  }
}

TEST_F(LargeBlocks, OfTheSamePlaceStandBesideEachOtherAndAreFoundBehindErasedOnes) {
  constexpr std::uintptr_t kBase = 0x10;
  constexpr groups::GroupIndex kBlocks = 20;
  for (groups::GroupIndex i = 0; i < kBlocks; ++i) {
    ASSERT_TRUE(table_->insert(at(kBase + i * kAroundTheTable + kPlaceBytes), i));
  }
  for (groups::GroupIndex i = 0; i < kBlocks; i += 2) {
    EXPECT_EQ(table_->erase(at(kBase + i * kAroundTheTable + kPlaceBytes)), i);
  }
  for (groups::GroupIndex i = 1; i < kBlocks; i += 2) {
    EXPECT_TRUE(table_->contains(at(kBase + i * kAroundTheTable + kPlaceBytes))) << i;
    EXPECT_EQ(table_->erase(at(kBase + i * kAroundTheTable + kPlaceBytes)), i);
  }
}

TEST_F(LargeBlocks, WhoseNeighbourhoodIsFullAreRefusedAndTakenAgainOnceOneHasGone) {
  constexpr std::uintptr_t kHome = 1'000 * kPlaceBytes;
  std::uintptr_t taken = 0;
  while (table_->insert(at(kHome + taken * kAroundTheTable), static_cast<groups::GroupIndex>(taken))) {
    ++taken;
    ASSERT_LT(taken, 1'000U) << "a search without an end";
  }
  EXPECT_EQ(taken, 128U);
  EXPECT_FALSE(table_->contains(at(kHome + taken * kAroundTheTable)));
  EXPECT_EQ(table_->erase(at(kHome + taken * kAroundTheTable)), std::nullopt);
  EXPECT_EQ(table_->erase(at(kHome + 5 * kAroundTheTable)), 5);
  EXPECT_TRUE(table_->insert(at(kHome + taken * kAroundTheTable), 99));
  EXPECT_EQ(table_->erase(at(kHome + taken * kAroundTheTable)), 99);
  for (std::uintptr_t i = 0; i < taken; ++i) {
    if (i == 5) continue;
    EXPECT_EQ(table_->erase(at(kHome + i * kAroundTheTable)), static_cast<groups::GroupIndex>(i));
  }
}

TEST_F(LargeBlocks, ThatWereRefusedAreRememberedByTheirNumber) {
  constexpr std::uintptr_t kHome = 2'000 * kPlaceBytes;
  std::uintptr_t taken = 0;
  while (table_->insert(at(kHome + taken * kAroundTheTable), 1)) ++taken;
  EXPECT_FALSE(table_->insert(at(kHome + (taken + 1) * kAroundTheTable), 1));
  EXPECT_EQ(table_->refused(), 2U);
  EXPECT_TRUE(table_->forget_refused());
  EXPECT_TRUE(table_->forget_refused());
  EXPECT_FALSE(table_->forget_refused());
  EXPECT_EQ(table_->refused(), 0U);
}

TEST_F(LargeBlocks, AtTheEndOfTheTableGoOnAtItsBeginning) {
  constexpr std::uintptr_t kLast = kAroundTheTable - kPlaceBytes;
  for (std::uintptr_t i = 0; i < 10; ++i) ASSERT_TRUE(table_->insert(at(kLast + i * kAroundTheTable), 3));
  for (std::uintptr_t i = 0; i < 10; ++i) EXPECT_EQ(table_->erase(at(kLast + i * kAroundTheTable)), 3);
}

TEST_F(LargeBlocks, ComeAndGoAnyNumberOfTimes) {
  for (std::uintptr_t i = 0; i < 1'000'000; ++i) {
    const void* block = at((i % 700 + 1) * kPlaceBytes + i % 3 * kAroundTheTable);
    ASSERT_TRUE(table_->insert(block, static_cast<groups::GroupIndex>(i)));
    ASSERT_EQ(table_->erase(block), static_cast<groups::GroupIndex>(i));
  }
}

TEST_F(LargeBlocks, OfSeveralThreadsInTheSamePlacesAreEachThreadsOwn) {
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (std::uintptr_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int round = 0; round < 20'000; ++round) {
        const void* blocks[8];
        for (std::uintptr_t i = 0; i < 8; ++i) {
          blocks[i] = at((i % 2 + 1) * kPlaceBytes + (t * 8 + i) * kAroundTheTable);
          if (!table_->insert(blocks[i], static_cast<groups::GroupIndex>(t * 100 + i))) ++wrong;
        }
        for (std::uintptr_t i = 0; i < 8; ++i) {
          if (table_->erase(blocks[i]) != static_cast<groups::GroupIndex>(t * 100 + i)) ++wrong;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace bursar::alloc
