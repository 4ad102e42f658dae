// gperftools' own names, called as programs call them that are linked with its tcmalloc.

#include <gperftools/nallocx.h>
#include <gperftools/tcmalloc.h>

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

constexpr std::align_val_t kAlignment{64};

const std::vector<std::pair<const char*, std::function<void*(std::size_t)>>> kWays = {
    {"tc_malloc", [](std::size_t n) { return tc_malloc(n); }},
    {"tc_malloc_skip_new_handler", [](std::size_t n) { return tc_malloc_skip_new_handler(n); }},
    {"tc_calloc", [](std::size_t n) { return tc_calloc(n, 1); }},
    {"tc_realloc", [](std::size_t n) { return tc_realloc(nullptr, n); }},
    {"tc_memalign", [](std::size_t n) { return tc_memalign(64, n); }},
    {"tc_posix_memalign",
     [](std::size_t n) {
       void* block = nullptr;
       EXPECT_EQ(tc_posix_memalign(&block, 64, n), 0);
       return block;
     }},
    {"tc_valloc", [](std::size_t n) { return tc_valloc(n); }},
    {"tc_pvalloc", [](std::size_t n) { return tc_pvalloc(n); }},
    {"tc_new", [](std::size_t n) { return tc_new(n); }},
    {"tc_newarray", [](std::size_t n) { return tc_newarray(n); }},
    {"tc_new_nothrow", [](std::size_t n) { return tc_new_nothrow(n, std::nothrow); }},
    {"tc_newarray_nothrow", [](std::size_t n) { return tc_newarray_nothrow(n, std::nothrow); }},
    {"tc_new_aligned", [](std::size_t n) { return tc_new_aligned(n, kAlignment); }},
    {"tc_newarray_aligned", [](std::size_t n) { return tc_newarray_aligned(n, kAlignment); }},
    {"tc_new_aligned_nothrow", [](std::size_t n) { return tc_new_aligned_nothrow(n, kAlignment, std::nothrow); }},
    {"tc_newarray_aligned_nothrow",
     [](std::size_t n) { return tc_newarray_aligned_nothrow(n, kAlignment, std::nothrow); }},
};

const std::vector<std::pair<const char*, std::function<void(void*)>>> kReleases = {
    {"tc_free", [](void* p) { tc_free(p); }},
    {"tc_free_sized", [](void* p) { tc_free_sized(p, 1); }},
    {"tc_cfree", [](void* p) { tc_cfree(p); }},
    {"tc_realloc", [](void* p) { EXPECT_EQ(tc_realloc(p, 0), nullptr); }},
    {"tc_delete", [](void* p) { tc_delete(p); }},
    {"tc_deletearray", [](void* p) { tc_deletearray(p); }},
    {"tc_delete_sized", [](void* p) { tc_delete_sized(p, 1); }},
    {"tc_deletearray_sized", [](void* p) { tc_deletearray_sized(p, 1); }},
    {"tc_delete_nothrow", [](void* p) { tc_delete_nothrow(p, std::nothrow); }},
    {"tc_deletearray_nothrow", [](void* p) { tc_deletearray_nothrow(p, std::nothrow); }},
    {"tc_delete_aligned", [](void* p) { tc_delete_aligned(p, kAlignment); }},
    {"tc_deletearray_aligned", [](void* p) { tc_deletearray_aligned(p, kAlignment); }},
    {"tc_delete_sized_aligned", [](void* p) { tc_delete_sized_aligned(p, 1, kAlignment); }},
    {"tc_deletearray_sized_aligned", [](void* p) { tc_deletearray_sized_aligned(p, 1, kAlignment); }},
    {"tc_delete_aligned_nothrow", [](void* p) { tc_delete_aligned_nothrow(p, kAlignment, std::nothrow); }},
    {"tc_deletearray_aligned_nothrow", [](void* p) { tc_deletearray_aligned_nothrow(p, kAlignment, std::nothrow); }},
    {"free", [](void* p) { std::free(p); }},
};

TEST(TcmallocEntries, EveryWayToABlockIsChargedAndEveryWayFromItCredited) {
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
        ASSERT_GE(tc_malloc_size(block), size);
        std::memset(block, 0x77, tc_malloc_size(block));
        release(block);
        ASSERT_EQ(owner.stats().totals().live_bytes(), 0U) << name << ' ' << release_name << ' ' << size;
        ResourceGroupRegistry::global().retire(owner);
      }
    }
  }
  EXPECT_EQ(ResourceGroupRegistry::global().foreign_blocks(), 0U);
}

TEST(TcmallocEntries, WhatNallocxPromisesMallocGives) {
  for (std::size_t size = 1; size < 300'000; size += 1 + size / 7) {
    void* block = escape(tc_malloc(size));
    ASSERT_EQ(nallocx(size, 0), tc_malloc_size(block)) << size;
    tc_free(block);
  }
}

TEST(TcmallocEntries, ZeroedMemoryIsZerosUpToWhatMayBeWritten) {
  for (const std::size_t size : {10U, 60U, 64U, 5'000U}) {
    for (int i = 0; i < 5; ++i) {
      auto* dirty = static_cast<unsigned char*>(escape(tc_malloc(size)));
      std::memset(dirty, 0xee, tc_malloc_size(dirty));
      tc_free(dirty);
      auto* zeros = static_cast<unsigned char*>(escape(tc_calloc(size, 1)));
      for (std::size_t at = 0; at < size; ++at) ASSERT_EQ(zeros[at], 0);
      tc_free(zeros);
    }
  }
}

TEST(TcmallocEntries, RefuseWhatNobodyHas) {
  const volatile std::size_t most = ~std::size_t{0} - 100;
  EXPECT_EQ(escape(tc_malloc(most)), nullptr);
  EXPECT_EQ(escape(tc_new_nothrow(most, std::nothrow)), nullptr);
  EXPECT_THROW(static_cast<void>(tc_new(most)), std::bad_alloc);
}

}  // namespace
}  // namespace bursar
