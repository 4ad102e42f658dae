#include <bursar/alloc/tracking_allocator.h>

#include <malloc.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <thread>
#include <type_traits>
#include <vector>

#include <bursar/alloc/ownership.h>
#include <bursar/groups/resource_group_registry.h>
#include <gtest/gtest.h>

#include "unit/alloc/tight_upstream.h"
#include "unit/groups/process_size.h"
#include "unit/groups/registry_probe.h"

namespace bursar {
namespace {

using testing::fresh_group;
using testing::TightUpstream;
using testing::UpstreamBooks;

constexpr std::size_t kLarge = alloc::kLargeBlockBytes;

std::uint64_t foreign_blocks() {
  return ResourceGroupRegistry::global().foreign_blocks();
}
ResourceStatsSnapshot figures(ResourceGroupToken token) {
  return testing::without_cpu(token.stats().totals());
}

template <typename Upstream, typename Owners>
struct Config {
  using Allocator = TrackingAllocator<Upstream, Owners>;
  static Upstream make_upstream(UpstreamBooks& books) {
    if constexpr (std::is_same_v<Upstream, TightUpstream>) {
      return Upstream(books);
    } else {
      return Upstream();
    }
  }
};

// The same claims over a malloc with slack and over one without, and for both ways to keep a block's owner.
template <typename Configuration>
class OverAnUpstream : public ::testing::Test {
 protected:
  UpstreamBooks books_;
  typename Configuration::Allocator allocator_{Configuration::make_upstream(books_)};
  ResourceGroupToken owner_ = fresh_group("owner");
  ResourceGroupToken other_ = fresh_group("other");

  // What the books should say of the block.
  [[nodiscard]] std::uint64_t bytes_of(void* block) { return Configuration::make_upstream(books_).usable_size(block); }
};
using Configurations =
    ::testing::Types<Config<MallocUpstream, alloc::AskedTag>, Config<TightUpstream, alloc::AskedTag>,
                     Config<MallocUpstream, alloc::TagInSlack>, Config<TightUpstream, alloc::TagInSlack>>;
TYPED_TEST_SUITE(OverAnUpstream, Configurations);

// Sizes around everything that changes on the way: the tag, classes, the border of the large.
const std::vector<std::size_t> kSizes = {
    0,     1,      3,           4,          5,          12,         24,         25,     64,         100,      1'000,
    4'096, 65'536, kLarge - 64, kLarge - 8, kLarge - 5, kLarge - 4, kLarge - 3, kLarge, kLarge + 1, 1'000'000};

TYPED_TEST(OverAnUpstream, ABlockIsChargedToTheGroupThatTheThreadIsInAndCreditedToItWhoeverReleasesIt) {
  for (const std::size_t size : kSizes) {
    const ResourceGroupToken owner = fresh_group("owner");
    void* block = nullptr;
    {
      const ResourceTrackingGuard guard = owner.enter();
      block = this->allocator_.allocate(size);
    }
    ASSERT_NE(block, nullptr) << size;
    EXPECT_GE(this->allocator_.usable_size(block), size);
    const std::uint64_t bytes = this->bytes_of(block);
    EXPECT_EQ(figures(owner), (ResourceStatsSnapshot{.allocated_bytes = bytes, .allocated_objects = 1})) << size;
    std::thread([&] {
      const ResourceTrackingGuard guard = this->other_.enter();
      this->allocator_.deallocate(block);
    }).join();
    EXPECT_EQ(
        figures(owner),
        (ResourceStatsSnapshot{
            .allocated_bytes = bytes, .allocated_objects = 1, .deallocated_bytes = bytes, .deallocated_objects = 1}))
        << size;
    EXPECT_EQ(figures(this->other_), ResourceStatsSnapshot::empty());
  }
}

TYPED_TEST(OverAnUpstream, TheUsableSizeMayBeWrittenWithoutHarmToTheOwner) {
  const std::uint64_t foreign = foreign_blocks();
  for (const std::size_t size : kSizes) {
    const ResourceTrackingGuard guard = this->owner_.enter();
    void* block = this->allocator_.allocate(size);
    ASSERT_NE(block, nullptr);
    std::memset(block, 0xff, this->allocator_.usable_size(block));
    this->allocator_.deallocate(block);
    block = this->allocator_.allocate_aligned(256, size);
    ASSERT_NE(block, nullptr);
    std::memset(block, 0, this->allocator_.usable_size(block));
    this->allocator_.deallocate(block);
  }
  EXPECT_EQ(foreign_blocks(), foreign);
  EXPECT_EQ(figures(this->owner_).live_bytes(), 0U);
  EXPECT_EQ(figures(this->owner_).live_objects(), 0U);
}

TYPED_TEST(OverAnUpstream, ZeroedBlocksAreZerosUpToTheSizeAskedFor) {
  for (const std::size_t size : kSizes) {
    // A dirty block of the same size first, which may well be given again.
    if (void* dirty = this->allocator_.allocate(size)) {
      std::memset(dirty, 0xa5, this->allocator_.usable_size(dirty));
      this->allocator_.deallocate(dirty);
    }
    const ResourceTrackingGuard guard = this->owner_.enter();
    auto* block = static_cast<unsigned char*>(this->allocator_.allocate_zeroed(1, size));
    ASSERT_NE(block, nullptr);
    EXPECT_TRUE(std::all_of(block, block + size, [](unsigned char byte) { return byte == 0; })) << size;
    this->allocator_.deallocate(block);
  }
  void* several = this->allocator_.allocate_zeroed(7, 9);
  EXPECT_GE(this->allocator_.usable_size(several), 63U);
  this->allocator_.deallocate(several);
}

TYPED_TEST(OverAnUpstream, AlignedBlocksAreAlignedAndCharged) {
  for (std::size_t alignment = 1; alignment <= 65'536; alignment *= 2) {
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, alignment, std::size_t{1'000}, kLarge}) {
      const ResourceStatsSnapshot before = figures(this->owner_);
      const ResourceTrackingGuard guard = this->owner_.enter();
      void* block = this->allocator_.allocate_aligned(alignment, size);
      ASSERT_NE(block, nullptr);
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % alignment, 0U);
      EXPECT_EQ(testing::since(figures(this->owner_), before).allocated_bytes, this->bytes_of(block));
      this->allocator_.deallocate(block);
      EXPECT_EQ(figures(this->owner_).live_bytes(), 0U);
    }
  }
}

TYPED_TEST(OverAnUpstream, AReallocatedBlockKeepsItsBytesAndBelongsToTheGroupOfTheCall) {
  for (const std::size_t from : kSizes) {
    for (const std::size_t to : kSizes) {
      if (to == 0) continue;
      const ResourceGroupToken first = this->owner_;
      const ResourceGroupToken second = this->other_;
      void* block = nullptr;
      {
        const ResourceTrackingGuard guard = first.enter();
        block = this->allocator_.allocate(from);
      }
      ASSERT_NE(block, nullptr);
      for (std::size_t i = 0; i < from; ++i) static_cast<unsigned char*>(block)[i] = static_cast<unsigned char>(i * 7);
      ASSERT_EQ(figures(first).live_objects(), 1U);
      {
        const ResourceTrackingGuard guard = second.enter();
        block = this->allocator_.reallocate(block, to);
      }
      ASSERT_NE(block, nullptr);
      ASSERT_EQ(figures(first).live_bytes(), 0U) << from << " to " << to;
      ASSERT_EQ(figures(first).live_objects(), 0U);
      ASSERT_EQ(figures(second).live_bytes(), this->bytes_of(block)) << from << " to " << to;
      ASSERT_EQ(figures(second).live_objects(), 1U);
      bool kept = true;
      for (std::size_t i = 0; i < std::min(from, to); ++i) {
        kept = kept && static_cast<unsigned char*>(block)[i] == static_cast<unsigned char>(i * 7);
      }
      EXPECT_TRUE(kept) << from << " to " << to;
      this->allocator_.deallocate(block);
      ASSERT_EQ(figures(second).live_bytes(), 0U);
    }
  }
}

TYPED_TEST(OverAnUpstream, ReallocateOfNothingAllocatesAndToNothingReleases) {
  const ResourceTrackingGuard guard = this->owner_.enter();
  void* block = this->allocator_.reallocate(nullptr, 10);
  ASSERT_NE(block, nullptr);
  EXPECT_EQ(figures(this->owner_).live_objects(), 1U);
  EXPECT_EQ(this->allocator_.reallocate(block, 0), nullptr);
  EXPECT_EQ(figures(this->owner_).live_objects(), 0U);
  this->allocator_.deallocate(nullptr);
  EXPECT_EQ(this->allocator_.usable_size(nullptr), 0U);
  EXPECT_FALSE(this->allocator_.transfer(nullptr, this->other_));
  EXPECT_EQ(figures(this->owner_).deallocated_objects, 1U);
}

TYPED_TEST(OverAnUpstream, SizesThatNobodyHasAreRefusedWithErrno) {
  constexpr std::size_t kMost = std::numeric_limits<std::size_t>::max();
  constexpr auto kHalf = static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max());
  void* block = this->allocator_.allocate(10);
  for (const std::size_t size : {kMost, kMost - 3, kMost - 4, kHalf + 1, kHalf, kHalf - 3}) {
    const auto refused = [&](void* result) {
      EXPECT_EQ(result, nullptr) << size;
      EXPECT_EQ(errno, ENOMEM) << size;
      errno = 0;
    };
    errno = 0;
    refused(this->allocator_.allocate(size));
    refused(this->allocator_.allocate_zeroed(1, size));
    refused(this->allocator_.allocate_zeroed(size, 1));
    refused(this->allocator_.allocate_aligned(64, size));
    refused(this->allocator_.reallocate(block, size));
  }
  errno = 0;
  EXPECT_EQ(this->allocator_.allocate_zeroed(kMost / 2 + 2, 2), nullptr) << "the product wraps around to 2";
  EXPECT_EQ(errno, ENOMEM);
  errno = 0;
  EXPECT_EQ(this->allocator_.allocate_zeroed(std::size_t{1} << 33, std::size_t{1} << 33), nullptr);
  EXPECT_EQ(errno, ENOMEM);
  this->allocator_.deallocate(block);
}

TYPED_TEST(OverAnUpstream, ATransferredBlockBelongsToItsHeir) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{100}, kLarge, std::size_t{1'000'000}}) {
    void* block = nullptr;
    {
      const ResourceTrackingGuard guard = this->owner_.enter();
      block = this->allocator_.allocate(size);
    }
    ASSERT_NE(block, nullptr);
    const std::uint64_t bytes = this->bytes_of(block);
    EXPECT_TRUE(this->allocator_.transfer(block, this->other_));
    EXPECT_EQ(figures(this->owner_).live_bytes(), 0U);
    EXPECT_EQ(figures(this->owner_).live_objects(), 0U);
    EXPECT_EQ(figures(this->other_).live_bytes(), bytes);
    EXPECT_EQ(figures(this->other_).live_objects(), 1U);
    EXPECT_TRUE(this->allocator_.transfer(block, this->other_)) << "to whom it belongs already";
    EXPECT_EQ(figures(this->other_).live_bytes(), bytes);
    this->allocator_.deallocate(block);
    EXPECT_EQ(figures(this->other_).live_bytes(), 0U);
  }
}

TYPED_TEST(OverAnUpstream, ABlockTransferredToAStaleTokenIsRoots) {
  const ResourceGroupToken stale = fresh_group("stale");
  ResourceGroupRegistry::global().retire(stale);
  void* block = nullptr;
  {
    const ResourceTrackingGuard guard = this->owner_.enter();
    block = this->allocator_.allocate(100);
  }
  const std::uint64_t before = ResourceGroupToken::root().stats().totals().live_objects();
  EXPECT_TRUE(this->allocator_.transfer(block, stale));
  EXPECT_EQ(ResourceGroupToken::root().stats().totals().live_objects(), before + 1);
  this->allocator_.deallocate(block);
  EXPECT_EQ(ResourceGroupToken::root().stats().totals().live_objects(), before);
}

TYPED_TEST(OverAnUpstream, ABlockKeepsARetiredOwnersNumberUntilItIsReleased) {
  void* block = nullptr;
  {
    const ResourceTrackingGuard guard = this->owner_.enter();
    block = this->allocator_.allocate(100);
  }
  ResourceGroupRegistry::global().retire(this->owner_);
  EXPECT_FALSE(testing::number_is_used_again(this->owner_));
  this->allocator_.deallocate(block);
  EXPECT_TRUE(testing::number_is_used_again(this->owner_));
}

TYPED_TEST(OverAnUpstream, AnOverrunBlockIsCountedAndNobodyIsCredited) {
  const ResourceTrackingGuard guard = this->owner_.enter();
  auto* block = static_cast<unsigned char*>(this->allocator_.allocate(50));
  const std::uint64_t bytes = this->bytes_of(block);
  const std::uint64_t foreign = foreign_blocks();
  const std::size_t usable = this->allocator_.usable_size(block);
  if (usable + alloc::kTagBytes != bytes) GTEST_SKIP() << "this block has no tag to overrun";
  block[usable] ^= 0x41;
  block[usable + 2] ^= 0x41;
  EXPECT_FALSE(this->allocator_.transfer(block, this->other_));
  this->allocator_.deallocate(block);
  EXPECT_EQ(foreign_blocks(), foreign + 1);
  EXPECT_EQ(figures(this->owner_).live_bytes(), bytes) << "it stays charged: nobody knows that it was the owner's";
  EXPECT_EQ(figures(this->other_), ResourceStatsSnapshot::empty());
}

TYPED_TEST(OverAnUpstream, AnOverrunBlockThatIsReallocatedIsCountedAndBelongsToTheGroupOfTheCall) {
  unsigned char* block = nullptr;
  {
    const ResourceTrackingGuard guard = this->owner_.enter();
    block = static_cast<unsigned char*>(this->allocator_.allocate(50));
  }
  const std::uint64_t bytes = this->bytes_of(block);
  const std::size_t usable = this->allocator_.usable_size(block);
  if (usable + alloc::kTagBytes != bytes) GTEST_SKIP() << "this block has no tag to overrun";
  std::memset(block, 0, bytes);
  const std::uint64_t foreign = foreign_blocks();
  const ResourceTrackingGuard guard = this->other_.enter();
  void* moved = this->allocator_.reallocate(block, 500);
  ASSERT_NE(moved, nullptr);
  EXPECT_EQ(foreign_blocks(), foreign + 1);
  EXPECT_EQ(figures(this->other_).live_bytes(), this->bytes_of(moved));
  this->allocator_.deallocate(moved);
  EXPECT_EQ(figures(this->other_).live_bytes(), 0U);
  EXPECT_EQ(foreign_blocks(), foreign + 1);
}

TEST(ForeignBlocks, OfTheUpstreamItselfAreCountedAndNobodyIsCredited) {
  TrackingAllocator<MallocUpstream> allocator;
  const ResourceStatsSnapshot before = ResourceGroupRegistry::global().totals();
  std::uint64_t foreign = foreign_blocks();
  for (const std::size_t size : {std::size_t{24}, std::size_t{1'000}, kLarge, std::size_t{1'000'000}}) {
    void* block = std::calloc(1, size);
    allocator.deallocate(block);
    EXPECT_EQ(foreign_blocks(), ++foreign) << size;
    // Zeros all over, as foreign blocks of small groups' numbers may well be: still no valid tag.
    block = std::calloc(1, size);
    EXPECT_FALSE(allocator.transfer(block, fresh_group()));
    std::free(block);
  }
  EXPECT_EQ(testing::since(ResourceGroupRegistry::global().totals(), before).deallocated_objects, 0U);
}

// Gives one address again and again, with room to spare or without.
struct OneAddressUpstream {
  alignas(64) static inline std::byte room[256];
  static inline std::size_t usable = 0;
  static void* allocate(std::size_t) noexcept { return room; }
  static void* allocate_zeroed(std::size_t) noexcept { return room; }
  static void* allocate_aligned(std::size_t, std::size_t) noexcept { return room; }
  static void* reallocate(void* block, std::size_t) noexcept { return block; }
  static void release(void*) noexcept {}
  static std::size_t usable_size(void*) noexcept { return usable; }
};

TEST(TagInSlack, ABlockThatWasReleasedPastTheBooksDoesNotLeaveItsOwnerToTheNextAtItsAddress) {
  TrackingAllocator<OneAddressUpstream, alloc::TagInSlack> allocator;
  const ResourceGroupToken former = fresh_group("former");
  const ResourceGroupToken latter = fresh_group("latter");
  OneAddressUpstream::usable = 64;
  {
    const ResourceTrackingGuard guard = former.enter();
    static_cast<void>(allocator.allocate(64));  // no room for a tag
  }
  // Released by a function of the upstream's own, which nobody interposes.
  OneAddressUpstream::usable = 128;
  const ResourceTrackingGuard guard = latter.enter();
  void* block = allocator.allocate(64);
  ASSERT_EQ(figures(latter).live_bytes(), 128U);
  allocator.deallocate(block);
  EXPECT_EQ(figures(latter).live_bytes(), 0U);
  EXPECT_EQ(figures(former).live_bytes(), 64U);
}

TEST(ZeroedBlocks, OfFreshPagesAreNotTouched) {
  if (testing::kSanitized) GTEST_SKIP() << "the sanitizer's malloc touches them";
  TrackingAllocator<MallocUpstream> allocator;
  constexpr std::size_t kBytes = std::size_t{64} << 20;
  const std::uint64_t before = testing::process_size().resident_bytes;
  void* block = allocator.allocate_zeroed(kBytes, 1);
  ASSERT_NE(block, nullptr);
  EXPECT_LT(testing::process_size().resident_bytes, before + (std::uint64_t{1} << 20));
  allocator.deallocate(block);
}

// Every call of the upstream fails in turn; the work is done again and again until none does.
template <typename Owners, typename Work>
void fail_at_every_point(Work&& work) {
  for (std::uint64_t point = 1;; ++point) {
    UpstreamBooks books;
    books.fails_at = point;
    const ResourceStatsSnapshot before = ResourceGroupRegistry::global().totals();
    const std::uint64_t foreign = foreign_blocks();
    TrackingAllocator<TightUpstream, Owners> allocator{TightUpstream(books)};
    work(allocator);
    const ResourceStatsSnapshot counted = testing::since(ResourceGroupRegistry::global().totals(), before);
    ASSERT_EQ(books.live_blocks, 0U) << "lost at point " << point;
    ASSERT_EQ(counted.allocated_bytes, counted.deallocated_bytes) << "at point " << point;
    ASSERT_EQ(counted.allocated_objects, counted.deallocated_objects) << "at point " << point;
    ASSERT_EQ(foreign_blocks(), foreign) << "at point " << point;
    if (books.calls < point) {
      ASSERT_GT(point, 1U) << "nothing was ever made to fail";
      return;
    }
  }
}

template <typename Owners>
class OutOfMemoryFor : public ::testing::Test {};
using BothOwnerships = ::testing::Types<alloc::AskedTag, alloc::TagInSlack>;
TYPED_TEST_SUITE(OutOfMemoryFor, BothOwnerships);

TYPED_TEST(OutOfMemoryFor, EveryPointInTurnLosesNothing) {
  fail_at_every_point<TypeParam>([](auto& allocator) {
    const ResourceGroupToken owner = fresh_group("owner");
    const ResourceGroupToken caller = fresh_group("caller");
    std::vector<void*> blocks;
    {
      const ResourceTrackingGuard guard = owner.enter();
      blocks.push_back(allocator.allocate(100));
      blocks.push_back(allocator.allocate_zeroed(10, 10));
      blocks.push_back(allocator.allocate_aligned(512, 10));
      blocks.push_back(allocator.allocate(kLarge));
      blocks.push_back(allocator.allocate_zeroed(2, kLarge));
    }
    const ResourceTrackingGuard guard = caller.enter();
    for (const std::size_t size : {std::size_t{200}, kLarge + 100, std::size_t{50}, 2 * kLarge}) {
      for (void*& block : blocks) {
        if (block == nullptr) continue;
        const ResourceStatsSnapshot owners = figures(owner);
        const ResourceStatsSnapshot callers = figures(caller);
        const std::size_t usable = allocator.usable_size(block);
        std::memset(block, 0x5a, usable);
        if (void* moved = allocator.reallocate(block, size); moved != nullptr) {
          block = moved;
        } else {
          // Where it fails, nothing changes: neither owner, nor size, nor bytes.
          EXPECT_EQ(figures(owner), owners);
          EXPECT_EQ(figures(caller), callers);
          ASSERT_EQ(allocator.usable_size(block), usable);
          EXPECT_TRUE(std::all_of(static_cast<unsigned char*>(block), static_cast<unsigned char*>(block) + usable,
                                  [](unsigned char byte) { return byte == 0x5a; }));
        }
      }
    }
    for (void* block : blocks) allocator.deallocate(block);
    EXPECT_EQ(figures(owner).live_bytes(), 0U);
    EXPECT_EQ(figures(caller).live_bytes(), 0U);
    ResourceGroupRegistry::global().retire(owner);
    ResourceGroupRegistry::global().retire(caller);
  });
}

TEST(OutOfMemory, OfARealMallocIsNullWithErrno) {
  if (testing::kSanitized) GTEST_SKIP() << "the sanitizer ends the process";
  TrackingAllocator<MallocUpstream> allocator;
  const ResourceGroupToken token = fresh_group();
  const ResourceTrackingGuard guard = token.enter();
  constexpr std::size_t kTooMuch = std::size_t{1} << 60;
  errno = 0;
  EXPECT_EQ(allocator.allocate(kTooMuch), nullptr);
  EXPECT_EQ(errno, ENOMEM);
  errno = 0;
  EXPECT_EQ(allocator.allocate_zeroed(1, kTooMuch), nullptr);
  EXPECT_EQ(errno, ENOMEM);
  errno = 0;
  EXPECT_EQ(allocator.allocate_aligned(4'096, kTooMuch), nullptr);
  EXPECT_EQ(errno, ENOMEM);
  void* block = allocator.allocate(kLarge);
  errno = 0;
  EXPECT_EQ(allocator.reallocate(block, kTooMuch), nullptr);
  EXPECT_EQ(errno, ENOMEM);
  EXPECT_EQ(figures(token).live_objects(), 1U);
  allocator.deallocate(block);
  EXPECT_EQ(figures(token).live_objects(), 0U);
}

}  // namespace
}  // namespace bursar
