// mimalloc's own names, called as programs call them that are linked with mimalloc.

#include <mimalloc.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <new>
#include <utility>
#include <vector>

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

using Allocate = std::function<void*(std::size_t)>;

const std::vector<std::pair<const char*, Allocate>> kWays = {
    {"mi_malloc", [](std::size_t n) { return mi_malloc(n); }},
    {"mi_malloc_small", [](std::size_t n) { return mi_malloc_small(std::min<std::size_t>(n, MI_SMALL_SIZE_MAX)); }},
    {"mi_mallocn", [](std::size_t n) { return mi_mallocn(1, n); }},
    {"mi_zalloc", [](std::size_t n) { return mi_zalloc(n); }},
    {"mi_zalloc_small", [](std::size_t n) { return mi_zalloc_small(std::min<std::size_t>(n, MI_SMALL_SIZE_MAX)); }},
    {"mi_calloc", [](std::size_t n) { return mi_calloc(n, 1); }},
    {"mi_realloc", [](std::size_t n) { return mi_realloc(nullptr, n); }},
    {"mi_reallocn", [](std::size_t n) { return mi_reallocn(nullptr, n, 1); }},
    {"mi_reallocf", [](std::size_t n) { return mi_reallocf(nullptr, n); }},
    {"mi_reallocarray", [](std::size_t n) { return mi_reallocarray(nullptr, n, 1); }},
    {"mi_reallocarr",
     [](std::size_t n) {
       void* block = nullptr;
       EXPECT_EQ(mi_reallocarr(static_cast<void*>(&block), n, 1), 0);
       return block;
     }},
    {"mi_rezalloc", [](std::size_t n) { return mi_rezalloc(nullptr, n); }},
    {"mi_recalloc", [](std::size_t n) { return mi_recalloc(nullptr, n, 1); }},
    {"mi_malloc_aligned", [](std::size_t n) { return mi_malloc_aligned(n, 64); }},
    {"mi_malloc_aligned_at", [](std::size_t n) { return mi_malloc_aligned_at(n, 64, 8); }},
    {"mi_zalloc_aligned", [](std::size_t n) { return mi_zalloc_aligned(n, 64); }},
    {"mi_zalloc_aligned_at", [](std::size_t n) { return mi_zalloc_aligned_at(n, 64, 8); }},
    {"mi_calloc_aligned", [](std::size_t n) { return mi_calloc_aligned(n, 1, 64); }},
    {"mi_calloc_aligned_at", [](std::size_t n) { return mi_calloc_aligned_at(n, 1, 64, 8); }},
    {"mi_realloc_aligned", [](std::size_t n) { return mi_realloc_aligned(nullptr, n, 64); }},
    {"mi_realloc_aligned_at", [](std::size_t n) { return mi_realloc_aligned_at(nullptr, n, 64, 8); }},
    {"mi_rezalloc_aligned", [](std::size_t n) { return mi_rezalloc_aligned(nullptr, n, 64); }},
    {"mi_rezalloc_aligned_at", [](std::size_t n) { return mi_rezalloc_aligned_at(nullptr, n, 64, 8); }},
    {"mi_recalloc_aligned", [](std::size_t n) { return mi_recalloc_aligned(nullptr, n, 1, 64); }},
    {"mi_recalloc_aligned_at", [](std::size_t n) { return mi_recalloc_aligned_at(nullptr, n, 1, 64, 8); }},
    {"mi_aligned_recalloc", [](std::size_t n) { return mi_aligned_recalloc(nullptr, n, 1, 64); }},
    {"mi_aligned_offset_recalloc", [](std::size_t n) { return mi_aligned_offset_recalloc(nullptr, n, 1, 64, 8); }},
    {"mi_posix_memalign",
     [](std::size_t n) {
       void* block = nullptr;
       EXPECT_EQ(mi_posix_memalign(&block, 64, n), 0);
       return block;
     }},
    {"mi_memalign", [](std::size_t n) { return mi_memalign(64, n); }},
    {"mi_aligned_alloc", [](std::size_t n) { return mi_aligned_alloc(64, n); }},
    {"mi_valloc", [](std::size_t n) { return mi_valloc(n); }},
    {"mi_pvalloc", [](std::size_t n) { return mi_pvalloc(n); }},
    {"mi_new", [](std::size_t n) { return mi_new(n); }},
    {"mi_new_aligned", [](std::size_t n) { return mi_new_aligned(n, 64); }},
    {"mi_new_nothrow", [](std::size_t n) { return mi_new_nothrow(n); }},
    {"mi_new_aligned_nothrow", [](std::size_t n) { return mi_new_aligned_nothrow(n, 64); }},
    {"mi_new_n", [](std::size_t n) { return mi_new_n(1, n); }},
    {"mi_new_realloc", [](std::size_t n) { return mi_new_realloc(nullptr, n); }},
    {"mi_new_reallocn", [](std::size_t n) { return mi_new_reallocn(nullptr, 1, n); }},
    {"mi_strdup", [](std::size_t n) { return static_cast<void*>(mi_strdup(std::string(n, 'x').c_str())); }},
    {"mi_strndup", [](std::size_t n) { return static_cast<void*>(mi_strndup(std::string(n, 'x').c_str(), n)); }},
    {"mi_mbsdup",
     [](std::size_t n) {
       const std::string text(n, 'x');
       return static_cast<void*>(mi_mbsdup(reinterpret_cast<const unsigned char*>(text.c_str())));
     }},
    {"mi_realpath", [](std::size_t) { return static_cast<void*>(mi_realpath("/proc", nullptr)); }},
};

const std::vector<std::pair<const char*, std::function<void(void*)>>> kReleases = {
    {"mi_free", [](void* block) { mi_free(block); }},
    {"mi_cfree", [](void* block) { mi_cfree(block); }},
    {"mi_free_size", [](void* block) { mi_free_size(block, 1); }},
    {"mi_free_size_aligned", [](void* block) { mi_free_size_aligned(block, 1, 8); }},
    {"mi_free_aligned", [](void* block) { mi_free_aligned(block, 8); }},
    {"free", [](void* block) { std::free(block); }},
    {"mi_realloc", [](void* block) { mi_free(mi_realloc(block, 10)); }},
};

TEST(MimallocEntries, EveryWayToABlockIsChargedAndEveryWayFromItCredited) {
  for (const auto& [name, allocate] : kWays) {
    for (const auto& [release_name, release] : kReleases) {
      for (const std::size_t size : {1U, 24U, 60U, 64U, 1'000U, 4'096U, 131'072U, 1'000'000U}) {
        const ResourceGroupToken owner = fresh_group("owner");
        void* block = nullptr;
        {
          const ResourceTrackingGuard guard = owner.enter();
          block = escape(allocate(size));
        }
        ASSERT_NE(block, nullptr) << name;
        ASSERT_EQ(owner.stats().totals().live_bytes(), books_bytes(block)) << name << ' ' << size;
        ASSERT_EQ(owner.stats().totals().live_objects(), 1U) << name << ' ' << size;
        std::memset(block, 0x77, mi_usable_size(block));
        release(block);
        ASSERT_EQ(owner.stats().totals().live_bytes(), 0U) << name << ' ' << release_name << ' ' << size;
        ResourceGroupRegistry::global().retire(owner);
      }
    }
  }
  EXPECT_EQ(ResourceGroupRegistry::global().foreign_blocks(), 0U);
}

TEST(MimallocEntries, AlignAsAsked) {
  for (std::size_t alignment = 16; alignment <= 65'536; alignment *= 2) {
    for (const std::size_t size : {std::size_t{1}, alignment - 4, alignment, std::size_t{1'000}}) {
      void* begin = escape(mi_malloc_aligned(size, alignment));
      void* at = escape(mi_malloc_aligned_at(size, alignment, 8));
      void* zeros = escape(mi_zalloc_aligned(size, alignment));
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(begin) % alignment, 0U) << alignment << ' ' << size;
      EXPECT_EQ((reinterpret_cast<std::uintptr_t>(at) + 8) % alignment, 0U) << alignment << ' ' << size;
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(zeros) % alignment, 0U) << alignment << ' ' << size;
      for (void* block : {begin, at, zeros}) mi_free(block);
    }
  }
}

TEST(MimallocEntries, GrowInZerosAndKeepWhatWasThere) {
  const std::vector<std::function<void*(void*, std::size_t)>> ways = {
      [](void* block, std::size_t n) { return mi_rezalloc(block, n); },
      [](void* block, std::size_t n) { return mi_recalloc(block, n, 1); },
      [](void* block, std::size_t n) { return mi_rezalloc_aligned(block, n, 32); },
      [](void* block, std::size_t n) { return mi_recalloc_aligned_at(block, n, 1, 32, 8); }};
  for (const auto& grow : ways) {
    for (const std::size_t from : {10U, 60U, 64U, 4'096U}) {
      auto* block = static_cast<unsigned char*>(mi_zalloc(from));
      std::memset(block, 0x55, from);
      block = static_cast<unsigned char*>(escape(grow(block, from * 3)));
      EXPECT_TRUE(std::all_of(block, block + from, [](unsigned char byte) { return byte == 0x55; }));
      EXPECT_TRUE(std::all_of(block + from, block + from * 3, [](unsigned char byte) { return byte == 0; })) << from;
      mi_free(block);
    }
  }
}

TEST(MimallocEntries, SayWhatTheProgramMayWrite) {
  for (std::size_t size = 1; size < 100'000; size += 1 + size / 7) {
    void* block = escape(mi_malloc(size));
    ASSERT_GE(mi_usable_size(block), size);
    ASSERT_EQ(mi_good_size(size), mi_usable_size(block)) << size;
    ASSERT_EQ(mi_expand(block, mi_usable_size(block)), block);
    ASSERT_EQ(mi_expand(block, mi_usable_size(block) + 1), nullptr);
    mi_free(block);
  }
}

TEST(MimallocEntries, RefuseWhatNobodyHas) {
  const volatile std::size_t most = ~std::size_t{0} - 100;
  EXPECT_EQ(escape(mi_malloc(most)), nullptr);
  EXPECT_EQ(escape(mi_calloc(most, 2)), nullptr);
  EXPECT_EQ(escape(mi_mallocn(most, 2)), nullptr);
  EXPECT_EQ(escape(mi_new_nothrow(most)), nullptr);
  EXPECT_THROW(static_cast<void>(mi_new(most)), std::bad_alloc);
}

TEST(MimallocEntries, ABlockOfAHeapOfTheProgramsOwnIsChargedToNobody) {
  const ResourceGroupToken owner = fresh_group("owner");
  const ResourceTrackingGuard guard = owner.enter();
  mi_heap_t* heap = mi_heap_new();
  void* one = escape(mi_heap_malloc(heap, 100));
  void* two = escape(mi_heap_malloc(heap, 1'000));
  EXPECT_EQ(owner.stats().totals().live_objects(), 0U);
  const std::uint64_t foreign_before = ResourceGroupRegistry::global().foreign_blocks();
  mi_free(one);
  EXPECT_EQ(ResourceGroupRegistry::global().foreign_blocks(), foreign_before + 1);
  EXPECT_NE(two, nullptr);
  mi_heap_destroy(heap);
  EXPECT_EQ(owner.stats().totals().deallocated_objects, 0U);
}

}  // namespace
}  // namespace bursar
