// Where a block's owner is kept: the tag in its last bytes, the index beside it.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <optional>
#include <vector>

#include <bursar/alloc/block_tag.h>
#include <bursar/alloc/ownership.h>
#include <bursar/alloc/shadow_index.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace bursar::alloc {
namespace {

RC_GTEST_PROP(BlockTag, IsReadAsItWasWrittenAndTouchesNothingElse, (std::uint16_t owner, std::uint8_t content)) {
  const std::size_t usable = *rc::gen::inRange<std::size_t>(kTagBytes, 200);
  alignas(16) std::byte block[256];
  std::memset(block, content, sizeof(block));
  write_tag(block, usable, owner);
  const BlockTag tag = read_tag(block, usable);
  RC_ASSERT(is_tag_of(block, tag));
  RC_ASSERT(owner_in(tag) == owner);
  for (std::size_t i = 0; i < sizeof(block); ++i) {
    if (i < usable - kTagBytes || i >= usable) RC_ASSERT(block[i] == std::byte{content});
  }
}

TEST(BlockTag, OfOneBlockIsNotAnothers) {
  std::vector<std::byte> blocks(64 * 1'024);
  std::size_t taken_for_ones_own = 0;
  std::size_t compared = 0;
  for (std::size_t i = 0; i < blocks.size(); i += 64) {
    write_tag(&blocks[i], 48, 5);
    const BlockTag tag = read_tag(&blocks[i], 48);
    for (std::size_t j = 0; j < blocks.size(); j += 64) {
      if (i == j) continue;
      ++compared;
      if (is_tag_of(&blocks[j], tag)) ++taken_for_ones_own;
    }
  }
  EXPECT_LE(taken_for_ones_own, compared / 10'000) << "of " << compared;
}

TEST(BlockTag, WhatProgramsWriteMostIsHardlyEverATag) {
  std::vector<std::byte> blocks(64 * 10'000);
  for (const int content : {0x00, 0xff, 0xcc, 0x41, 0x20}) {
    std::size_t taken_for_tags = 0;
    std::memset(blocks.data(), content, blocks.size());
    for (std::size_t i = 0; i < blocks.size(); i += 64) {
      if (is_tag_of(&blocks[i], read_tag(&blocks[i], 48))) ++taken_for_tags;
    }
    EXPECT_LE(taken_for_tags, 3U) << content;
  }
}

TEST(ShadowIndex, KeepsTheOwnerUntilItIsTaken) {
  alignas(64) static std::byte block[256];
  EXPECT_FALSE(ShadowIndex::contains(block, 64));
  EXPECT_EQ(ShadowIndex::take(block, 64), std::nullopt);
  for (const groups::GroupIndex owner : std::initializer_list<groups::GroupIndex>{0, 1, 64'999}) {
    ASSERT_TRUE(ShadowIndex::put(block, owner));
    EXPECT_TRUE(ShadowIndex::contains(block, 64));
    EXPECT_FALSE(ShadowIndex::contains(block + 64, 64));
    EXPECT_EQ(ShadowIndex::take(block, 64), owner);
    EXPECT_EQ(ShadowIndex::take(block, 64), std::nullopt);
  }
}

TEST(ShadowIndex, IsNotAskedAboutSmallBlocksThatShareAnEntryWithOneOfIts) {
  alignas(64) static std::byte block[256];
  ASSERT_TRUE(ShadowIndex::put(block + 32, 7));
  EXPECT_FALSE(ShadowIndex::contains(block, 32));
  EXPECT_EQ(ShadowIndex::take(block, 32), std::nullopt);
  EXPECT_EQ(ShadowIndex::take(block + 32, 64), 7);
}

TEST(ShadowIndex, DoesNotKnowAddressesThatNoProgramHas) {
  const void* kernels = reinterpret_cast<const void*>(std::uintptr_t{1} << 47);
  EXPECT_FALSE(ShadowIndex::put(kernels, 1));
  EXPECT_FALSE(ShadowIndex::contains(kernels, 64));
  EXPECT_EQ(ShadowIndex::take(kernels, 64), std::nullopt);
}

TEST(TagInSlack, AsksForATagOnlyWhereSeveralBlocksWouldShareAnEntryOfTheIndex) {
  EXPECT_EQ(TagInSlack::request_for(0), 4U);
  EXPECT_EQ(TagInSlack::request_for(60), 64U);
  EXPECT_EQ(TagInSlack::request_for(61), 64U) << "no room for a tag, and as large as an entry of its own needs";
  EXPECT_EQ(TagInSlack::request_for(64), 64U);
  EXPECT_EQ(TagInSlack::request_for(4'096), 4'096U);
  EXPECT_EQ(AskedTag::request_for(64), 68U);
}

TEST(TagInSlack, WritesATagOnlyNearWhatWasAskedFor) {
  constexpr std::size_t kUsable = 4'096;
  alignas(64) static std::byte block[kUsable];
  for (const std::size_t asked : {kUsable - 4, kUsable - 100, kUsable - 4 - TagInSlack::kMaxSlackBytes}) {
    ASSERT_TRUE(TagInSlack::put(block, kUsable, asked, 7));
    EXPECT_EQ(TagInSlack::take(block, kUsable).place, OwnerPlace::Tag) << asked;
  }
  for (const std::size_t asked : {kUsable, kUsable - 3, kUsable - 5 - TagInSlack::kMaxSlackBytes, std::size_t{1}}) {
    std::memset(block, 0, kUsable);
    ASSERT_TRUE(TagInSlack::put(block, kUsable, asked, 7));
    EXPECT_TRUE(std::ranges::all_of(block, [](std::byte byte) { return byte == std::byte{0}; })) << asked;
    EXPECT_EQ(TagInSlack::writable_bytes(block, kUsable), kUsable);
    const Owned owned = TagInSlack::take(block, kUsable);
    EXPECT_EQ(owned.place, OwnerPlace::Index) << asked;
    EXPECT_EQ(owned.owner, 7);
  }
}

TEST(TagInSlack, LeavesBlocksAloneOfWhichTheUpstreamDoesNotTellTheSize) {
  std::array<std::byte, 16> memory{};
  EXPECT_FALSE(TagInSlack::put(&memory[8], 0, 1, 7));
  EXPECT_EQ(memory, (std::array<std::byte, 16>{}));
  EXPECT_EQ(TagInSlack::take(&memory[8], 0).place, OwnerPlace::None);
  EXPECT_EQ(TagInSlack::writable_bytes(&memory[8], 0), 0U);
}

}  // namespace
}  // namespace bursar::alloc
