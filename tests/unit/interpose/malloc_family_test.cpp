// Every function of the C library's family, called by the name that programs call it by, is counted and credited.

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <bursar/groups/resource_group_registry.h>
#include <gtest/gtest.h>

#include "unit/groups/registry_probe.h"
#include "unit/interpose/escape.h"
#include "unit/interpose/upstream.h"

// Weak: a C library that does not have them yet is no reason not to link; where they come from is preloaded.
extern "C" {
[[gnu::weak]] void free_sized(void* block, std::size_t bytes) noexcept;
[[gnu::weak]] void free_aligned_sized(void* block, std::size_t alignment, std::size_t bytes) noexcept;
}

namespace bursar {
namespace {

using testing::books_bytes;
using testing::escape;
using testing::fresh_group;

ResourceStatsSnapshot figures(ResourceGroupToken token) {
  return testing::without_cpu(token.stats().totals());
}

struct Way {
  const char* name;
  std::function<void*(std::size_t)> allocate;
};

const std::vector<Way> kWays = {
    {"malloc", [](std::size_t bytes) { return std::malloc(bytes); }},
    {"calloc", [](std::size_t bytes) { return std::calloc(bytes, 1); }},
    {"realloc", [](std::size_t bytes) { return std::realloc(nullptr, bytes); }},
    {"realloc of a block",
     [](std::size_t bytes) { return std::realloc(escape(std::malloc(7)), std::max<std::size_t>(bytes, 1)); }},
    {"reallocarray", [](std::size_t bytes) { return reallocarray(nullptr, bytes, 1); }},
    {"memalign", [](std::size_t bytes) { return memalign(64, bytes); }},
    {"aligned_alloc", [](std::size_t bytes) { return std::aligned_alloc(256, bytes); }},
    {"posix_memalign",
     [](std::size_t bytes) {
       void* block = nullptr;
       return posix_memalign(&block, 128, bytes) == 0 ? block : nullptr;
     }},
    {"valloc", [](std::size_t bytes) { return valloc(bytes); }},
    {"pvalloc", [](std::size_t bytes) { return pvalloc(bytes); }},
};
const std::vector<std::pair<const char*, std::function<void(void*)>>> kReleases = {
    {"free", [](void* block) { std::free(block); }},
    {"realloc to nothing", [](void* block) { EXPECT_EQ(std::realloc(block, 0), nullptr); }},
    {"free_sized", [](void* block) { free_sized(block, 1); }},
    {"free_aligned_sized", [](void* block) { free_aligned_sized(block, 16, 1); }},
};

TEST(Interposed, AllocatorIsInstalled) {
  EXPECT_TRUE(ResourceGroupRegistry::allocator_installed());
}

TEST(MallocFamily, EveryWayToABlockIsChargedAndEveryWayFromItCredited) {
  for (const Way& way : kWays) {
    for (const auto& [release_name, release] : kReleases) {
      for (const std::size_t bytes : {0U, 1U, 24U, 1'000U, 131'072U, 1'000'000U}) {
        const ResourceGroupToken owner = fresh_group("owner");
        void* block = nullptr;
        std::uint64_t releases_before = 0;
        {
          const ResourceTrackingGuard guard = owner.enter();
          block = escape(way.allocate(bytes));
        }
        ASSERT_NE(block, nullptr) << way.name;
        const std::uint64_t expected = books_bytes(block);
        ASSERT_GE(malloc_usable_size(block), bytes) << way.name;
        EXPECT_EQ(figures(owner).live_bytes(), expected) << way.name << ' ' << bytes;
        EXPECT_EQ(figures(owner).live_objects(), 1U) << way.name;
        releases_before = figures(owner).deallocated_objects;
        std::memset(block, 0x77, malloc_usable_size(block));
        release(block);
        EXPECT_EQ(figures(owner).live_bytes(), 0U) << way.name << ' ' << release_name << ' ' << bytes;
        EXPECT_EQ(figures(owner).deallocated_objects, releases_before + 1) << release_name;
        ResourceGroupRegistry::global().retire(owner);
      }
    }
  }
}

TEST(MallocFamily, AlignsAsItIsAsked) {
  const auto is_aligned = [](void* block, std::size_t alignment) {
    return block != nullptr && reinterpret_cast<std::uintptr_t>(block) % alignment == 0;
  };
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  for (std::size_t alignment = 8; alignment <= (std::size_t{1} << 20); alignment *= 2) {
    void* one = memalign(alignment, 10);
    void* two = std::aligned_alloc(alignment, alignment);
    void* three = nullptr;
    EXPECT_EQ(posix_memalign(&three, alignment, 100), 0);
    EXPECT_TRUE(is_aligned(one, alignment) && is_aligned(two, alignment) && is_aligned(three, alignment)) << alignment;
    for (void* block : {one, two, three}) std::free(block);
  }
  void* whole = pvalloc(1);
  EXPECT_TRUE(is_aligned(whole, page));
  EXPECT_GE(malloc_usable_size(whole), page) << "pvalloc rounds up to whole pages";
  void* some = valloc(1);
  EXPECT_TRUE(is_aligned(some, page));
  std::free(whole);
  std::free(some);
}

TEST(MallocFamily, RefusesWithErrnoWhatNobodyHas) {
  const volatile std::size_t most = std::numeric_limits<std::size_t>::max();
  const volatile std::size_t half = std::numeric_limits<std::size_t>::max() / 2;
  void* block = std::malloc(100);
  const auto refused = [](void* result, const char* name) {
    EXPECT_EQ(escape(result), nullptr) << name;
    EXPECT_EQ(errno, ENOMEM) << name;
    errno = 0;
  };
  errno = 0;
  for (const std::size_t size : {static_cast<std::size_t>(most), most - 4, half, half + 1, half - 2}) {
    refused(std::malloc(size), "malloc");
    refused(std::calloc(size, 1), "calloc");
    refused(std::realloc(block, size), "realloc");
    refused(reallocarray(block, size, 1), "reallocarray");
    refused(memalign(64, size), "memalign");
    refused(std::aligned_alloc(64, size), "aligned_alloc");
    refused(valloc(size), "valloc");
    refused(pvalloc(size), "pvalloc");
  }
  refused(std::calloc(half, 4), "calloc");
  refused(reallocarray(block, half, 4), "reallocarray");
  std::free(block);
}

TEST(MallocFamily, PosixMemalignAnswersItsErrorsAndLeavesErrnoAndTheResult) {
  void* const untouched = &errno;
  void* result = untouched;
  errno = EDOM;
  for (const std::size_t alignment : {0U, 1U, 4U, 3U, 24U, 100U}) {
    EXPECT_EQ(posix_memalign(&result, alignment, 10), EINVAL) << alignment;
  }
  const volatile std::size_t too_much = std::numeric_limits<std::size_t>::max() - 100;
  EXPECT_EQ(posix_memalign(&result, 64, too_much), ENOMEM);
  EXPECT_EQ(errno, EDOM);
  EXPECT_EQ(result, untouched);
}

TEST(MallocFamily, ReleasingKeepsErrno) {
  for (const std::size_t size : {10U, 500'000U, 200'000'000U}) {
    void* block = escape(std::malloc(size));
    errno = EDOM;
    std::free(block);
    EXPECT_EQ(errno, EDOM);
    std::free(nullptr);
    EXPECT_EQ(errno, EDOM);
  }
}

TEST(MallocFamily, SucceedingOnAThreadsFirstAllocationKeepsErrno) {
  // Not std::thread, which allocates and releases on the new thread itself.
  pthread_t thread{};
  int seen = 0;
  ASSERT_EQ(pthread_create(
                &thread, nullptr,
                [](void* out) -> void* {
                  errno = EDOM;
                  std::free(escape(std::malloc(10)));
                  *static_cast<int*>(out) = errno;
                  return nullptr;
                },
                &seen),
            0);
  pthread_join(thread, nullptr);
  EXPECT_EQ(seen, EDOM);
}

TEST(MallocFamily, ReallocateMovesTheBlockToTheGroupOfTheCallAndKeepsItsBytes) {
  const ResourceGroupToken first = fresh_group("first");
  const ResourceGroupToken second = fresh_group("second");
  for (const std::size_t from : {1U, 100U, 130'000U, 131'072U, 400'000U}) {
    for (const std::size_t to : {1U, 90U, 5'000U, 131'068U, 131'072U, 300'000U, 5'000'000U}) {
      unsigned char* block = nullptr;
      {
        const ResourceTrackingGuard guard = first.enter();
        block = static_cast<unsigned char*>(escape(std::malloc(from)));
      }
      for (std::size_t i = 0; i < from; ++i) block[i] = static_cast<unsigned char>(i * 13);
      {
        const ResourceTrackingGuard guard = second.enter();
        block = static_cast<unsigned char*>(escape(std::realloc(block, to)));
      }
      ASSERT_EQ(figures(first).live_bytes(), 0U) << from << ' ' << to;
      ASSERT_EQ(figures(second).live_bytes(), books_bytes(block)) << from << ' ' << to;
      bool kept = true;
      for (std::size_t i = 0; i < std::min(from, to); ++i)
        kept = kept && block[i] == static_cast<unsigned char>(i * 13);
      ASSERT_TRUE(kept);
      std::free(block);
      ASSERT_EQ(figures(second).live_bytes(), 0U);
    }
  }
}

TEST(MallocFamily, ReallocateThatFailsChangesNothing) {
  const ResourceGroupToken first = fresh_group("first");
  const ResourceGroupToken second = fresh_group("second");
  for (const std::size_t size : {100U, 300'000U}) {
    char* block = nullptr;
    {
      const ResourceTrackingGuard guard = first.enter();
      block = static_cast<char*>(escape(std::malloc(size)));
    }
    std::memset(block, 'k', size);
    const ResourceStatsSnapshot before = figures(first);
    {
      const ResourceTrackingGuard guard = second.enter();
      const volatile std::size_t too_much = std::size_t{1} << 60;
      EXPECT_EQ(escape(std::realloc(block, too_much)), nullptr);
    }
    EXPECT_EQ(figures(first), before);
    EXPECT_EQ(figures(second), ResourceStatsSnapshot::empty());
    EXPECT_TRUE(std::all_of(block, block + size, [](char byte) { return byte == 'k'; }));
    std::free(block);
    EXPECT_EQ(figures(first).live_bytes(), 0U);
  }
}

TEST(MallocFamily, ZeroedMemoryIsZeros) {
  for (const std::size_t size : {1U, 100U, 5'000U, 200'000U, 3'000'000U}) {
    for (int i = 0; i < 5; ++i) {
      auto* dirty = static_cast<unsigned char*>(escape(std::malloc(size)));
      std::memset(dirty, 0xee, malloc_usable_size(dirty));
      std::free(dirty);
      auto* zeroed = static_cast<unsigned char*>(escape(std::calloc(size, 1)));
      ASSERT_TRUE(std::all_of(zeroed, zeroed + size, [](unsigned char byte) { return byte == 0; })) << size;
      std::free(zeroed);
    }
  }
}

TEST(CLibrary, ItsOwnAllocationsAreCounted) {
  const ResourceGroupToken token = fresh_group("libc");
  char* copy = nullptr;
  char* line = nullptr;
  char* printed = nullptr;
  char* path = nullptr;
  {
    const ResourceTrackingGuard guard = token.enter();
    copy = escape(strdup("a copy"));
    EXPECT_EQ(figures(token).live_objects(), 1U) << "strdup";
    std::size_t room = 0;
    std::FILE* file = fmemopen(const_cast<char*>("one line\n"), 9, "r");
    const std::uint64_t with_file = figures(token).live_objects();
    EXPECT_GT(with_file, 1U) << "fmemopen";
    EXPECT_EQ(getline(&line, &room, file), 9);
    EXPECT_GT(figures(token).live_objects(), with_file) << "getline";
    std::fclose(file);
    EXPECT_EQ(asprintf(&printed, "%d and %s", 7, "more"), 10);
    path = realpath("/proc", nullptr);
  }
  EXPECT_EQ(figures(token).live_objects(), 4U);
  EXPECT_EQ(figures(token).live_bytes(),
            books_bytes(copy) + books_bytes(line) + books_bytes(printed) + books_bytes(path));
  for (char* text : {copy, line, printed, path}) std::free(text);
  EXPECT_EQ(figures(token).live_bytes(), 0U);
}

}  // namespace
}  // namespace bursar
