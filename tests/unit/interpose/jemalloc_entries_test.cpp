// jemalloc's own interface, called as programs call it that are linked with jemalloc.

#include <jemalloc/jemalloc.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <bursar/alloc/transfer.h>
#include <bursar/groups/resource_group_registry.h>
#include <gtest/gtest.h>

#include "unit/groups/registry_probe.h"
#include "unit/interpose/escape.h"
#include "unit/interpose/upstream.h"

namespace bursar {
namespace {

using testing::books_bytes;
using testing::escape;
using testing::fresh_group;

constexpr std::size_t kSizes[] = {1, 28, 29, 32, 60, 64, 100, 128, 4'000, 4'096, 131'072, 1'000'000};

bool all_are(const void* block, std::size_t begin, std::size_t end, unsigned char value) {
  const auto* bytes = static_cast<const unsigned char*>(block);
  return std::all_of(bytes + begin, bytes + end, [value](unsigned char byte) { return byte == value; });
}

TEST(JemallocEntries, ABlockIsChargedAndCreditedByEachOfThem) {
  for (const std::size_t size : kSizes) {
    for (int release = 0; release < 3; ++release) {
      const ResourceGroupToken owner = fresh_group("owner");
      void* block = nullptr;
      {
        const ResourceTrackingGuard guard = owner.enter();
        block = escape(mallocx(size, 0));
      }
      ASSERT_NE(block, nullptr);
      EXPECT_EQ(owner.stats().totals().live_bytes(), books_bytes(block)) << size;
      EXPECT_GE(sallocx(block, 0), size);
      EXPECT_EQ(sallocx(block, 0), malloc_usable_size(block));
      std::memset(block, 0x77, sallocx(block, 0));
      if (release == 0) dallocx(block, 0);
      if (release == 1) sdallocx(block, size, 0);
      if (release == 2) std::free(block);
      EXPECT_EQ(owner.stats().totals().live_bytes(), 0U) << size << ", release " << release;
      EXPECT_EQ(owner.stats().totals().deallocated_objects, 1U);
      ResourceGroupRegistry::global().retire(owner);
    }
  }
}

TEST(JemallocEntries, FlagsAreJemallocs) {
  for (const std::size_t alignment : {16U, 64U, 4'096U, 65'536U}) {
    void* block = escape(mallocx(100, MALLOCX_ALIGN(alignment) | MALLOCX_ZERO | MALLOCX_TCACHE_NONE));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % alignment, 0U);
    EXPECT_TRUE(all_are(block, 0, sallocx(block, 0), 0));
    dallocx(block, MALLOCX_TCACHE_NONE);
  }
  unsigned arena = 0;
  std::size_t length = sizeof(arena);
  ASSERT_EQ(mallctl("arenas.create", &arena, &length, nullptr, 0), 0);
  void* block = escape(mallocx(100, MALLOCX_ARENA(arena) | MALLOCX_TCACHE_NONE));
  unsigned found = 0;
  length = sizeof(found);
  ASSERT_EQ(mallctl("arenas.lookup", &found, &length, static_cast<void*>(&block), sizeof(block)), 0);
  EXPECT_EQ(found, arena);
  dallocx(block, MALLOCX_TCACHE_NONE);
}

TEST(JemallocEntries, WhatNallocxPromisesMallocxGives) {
  for (std::size_t size = 1; size < 300'000; size += 1 + size / 7) {
    void* block = escape(mallocx(size, 0));
    ASSERT_EQ(nallocx(size, 0), sallocx(block, 0)) << size;
    ASSERT_GE(nallocx(size, 0), size);
    dallocx(block, 0);
  }
  EXPECT_EQ(nallocx(~std::size_t{0} / 2 + 1, 0), 0U);
}

TEST(JemallocEntries, RallocxMovesTheBlockToTheGroupOfTheCallAndGrowsInZeros) {
  const ResourceGroupToken first = fresh_group("first");
  const ResourceGroupToken second = fresh_group("second");
  for (const std::size_t from : kSizes) {
    for (const std::size_t to : kSizes) {
      void* block = nullptr;
      std::size_t writable_before = 0;
      {
        const ResourceTrackingGuard guard = first.enter();
        block = escape(mallocx(from, 0));
        writable_before = sallocx(block, 0);
        std::memset(block, 0x55, writable_before);
      }
      {
        const ResourceTrackingGuard guard = second.enter();
        block = escape(rallocx(block, to, MALLOCX_ZERO));
      }
      const std::size_t writable = sallocx(block, 0);
      ASSERT_TRUE(all_are(block, 0, std::min({writable_before, writable, to}), 0x55)) << from << ' ' << to;
      if (writable > writable_before) {
        ASSERT_TRUE(all_are(block, writable_before, writable, 0)) << from << ' ' << to;
      }
      ASSERT_EQ(first.stats().totals().live_bytes(), 0U);
      ASSERT_EQ(second.stats().totals().live_bytes(), books_bytes(block)) << from << ' ' << to;
      dallocx(block, 0);
      ASSERT_EQ(second.stats().totals().live_bytes(), 0U);
    }
  }
}

TEST(JemallocEntries, XallocxResizesInPlaceOrLeavesTheBlockAsItWas) {
  const ResourceGroupToken first = fresh_group("first");
  const ResourceGroupToken second = fresh_group("second");
  int grown = 0;
  int refused = 0;
  for (const std::size_t from : kSizes) {
    for (const std::size_t to : kSizes) {
      for (const std::size_t extra : {0U, 5'000U}) {
        void* block = nullptr;
        {
          const ResourceTrackingGuard guard = first.enter();
          block = escape(mallocx(from, 0));
        }
        const std::size_t writable_before = sallocx(block, 0);
        std::memset(block, 0x55, writable_before);
        std::size_t writable = 0;
        {
          const ResourceTrackingGuard guard = second.enter();
          writable = xallocx(block, to, extra, MALLOCX_ZERO);
        }
        ASSERT_EQ(writable, sallocx(block, 0));
        ASSERT_TRUE(all_are(block, 0, std::min({writable_before, writable, to}), 0x55)) << from << ' ' << to;
        if (writable > writable_before) {
          ++grown;
          ASSERT_TRUE(all_are(block, writable_before, writable, 0)) << from << ' ' << to;
        }
        if (writable < to) ++refused;
        const ResourceGroupToken owner = writable < to ? first : second;
        ASSERT_EQ(owner.stats().totals().live_bytes(), books_bytes(block)) << from << ' ' << to << ' ' << extra;
        ASSERT_EQ(first.stats().totals().live_objects() + second.stats().totals().live_objects(), 1U);
        dallocx(block, 0);
        ASSERT_EQ(owner.stats().totals().live_bytes(), 0U);
      }
    }
  }
  EXPECT_GT(grown, 0);
  EXPECT_GT(refused, 0);
}

TEST(JemallocEntries, BlocksCrossBetweenThemAndMalloc) {
  const ResourceGroupToken owner = fresh_group("owner");
  const ResourceGroupToken heir = fresh_group("heir");
  const ResourceTrackingGuard guard = owner.enter();
  void* one = escape(std::malloc(200));
  void* two = escape(mallocx(200, 0));
  dallocx(one, 0);
  EXPECT_TRUE(transfer(two, heir));
  EXPECT_EQ(owner.stats().totals().live_bytes(), 0U);
  EXPECT_EQ(heir.stats().totals().live_bytes(), books_bytes(two));
  two = escape(std::realloc(two, 5'000));
  EXPECT_EQ(heir.stats().totals().live_bytes(), 0U);
  sdallocx(two, 5'000, 0);
  EXPECT_EQ(owner.stats().totals().live_bytes(), 0U);
  EXPECT_EQ(ResourceGroupRegistry::global().foreign_blocks(), 0U);
}

}  // namespace
}  // namespace bursar
