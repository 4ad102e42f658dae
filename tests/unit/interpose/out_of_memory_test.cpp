// The whole process runs out of memory at every point in turn: the first call of the upstream fails, then the second,
// and so on, until the work is done without a failure. (As SQLite tests itself: https://sqlite.org/testing.html)

#include <malloc.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <new>
#include <sstream>
#include <string>
#include <vector>

#include <bursar/alloc/tracking_resource.h>
#include <bursar/alloc/transfer.h>
#include <bursar/groups/resource_group_registry.h>
#include <gtest/gtest.h>

#include "unit/groups/registry_probe.h"
#include "unit/interpose/escape.h"
#include "unit/interpose/fake_upstream.h"

namespace bursar {
namespace {

using testing::escape;
using testing::fresh_group;

// Does `work` until it gets through. After each failure nothing may be left, and nothing be counted that is not there.
void fail_at_every_point(const std::function<void(ResourceGroupToken heir)>& work) {
  if (fake_upstream_fail_at == nullptr) GTEST_SKIP() << "runs over the fake upstream: see CMakeLists.txt";
  const ResourceGroupToken owner = fresh_group("owner");
  const ResourceGroupToken heir = fresh_group("heir");
  ASSERT_TRUE(ResourceGroupRegistry::allocator_installed());
  std::uint64_t failures = 0;
  for (std::uint64_t point = 1;; ++point) {
    const std::int64_t blocks_before = fake_upstream_live_blocks();
    const std::uint64_t foreign_before = ResourceGroupRegistry::global().foreign_blocks();
    bool failed = false;
    fake_upstream_fail_at(point);
    {
      const ResourceTrackingGuard guard = owner.enter();
      try {
        work(heir);
      } catch (const std::bad_alloc&) {
        failed = true;
      }
    }
    const std::uint64_t calls = fake_upstream_calls();
    fake_upstream_fail_at(0);
    for (const ResourceGroupToken token : {owner, heir}) {
      ASSERT_EQ(token.stats().totals().live_bytes(), 0U) << "at point " << point;
      ASSERT_EQ(token.stats().totals().live_objects(), 0U) << "at point " << point;
    }
    ASSERT_EQ(fake_upstream_live_blocks(), blocks_before) << "lost at point " << point;
    ASSERT_EQ(ResourceGroupRegistry::global().foreign_blocks(), foreign_before) << "at point " << point;
    if (calls < point) {
      ASSERT_FALSE(failed) << "without a failure of the upstream's";
      ASSERT_EQ(failures, point - 1) << "each point was reached";
      ASSERT_GT(failures, 0U);
      return;
    }
    ++failures;
  }
}

TEST(OutOfMemory, AtEveryPointOfContainersWorkLosesNothing) {
  fail_at_every_point([](ResourceGroupToken) {
    std::map<std::string, std::vector<std::string>> table;
    for (int i = 0; i < 20; ++i) {
      table["a key that is too long to be kept inside " + std::to_string(i % 5)].emplace_back(1'000, 'x');
    }
    const auto shared = std::make_shared<std::array<char, 200'000>>();
    std::vector<std::shared_ptr<std::array<char, 200'000>>> owners(100, shared);
    // Only the plain form throws; what answers null has to leave nothing behind either.
    const std::unique_ptr<int[]> quiet(new (std::nothrow) int[1'000]);
    if (quiet != nullptr) quiet[0] = 1;
  });
}

TEST(OutOfMemory, AtEveryPointOfTheCFamilyLosesNothingAndDamagesNothing) {
  fail_at_every_point([](ResourceGroupToken heir) {
    struct Release {
      void operator()(void* block) const { std::free(block); }
    };
    using Block = std::unique_ptr<void, Release>;
    const auto marked = [](std::size_t bytes) {
      Block block(escape(std::malloc(bytes)));
      if (block != nullptr) std::memset(block.get(), 0x5a, bytes);
      return block;
    };
    for (const std::size_t size : {10U, 500U, 140'000U}) {
      Block block = marked(size);
      if (block == nullptr) continue;
      EXPECT_TRUE(transfer(block.get(), heir));
      for (const std::size_t next : {size * 2, size * 5, size / 2}) {
        void* moved = escape(std::realloc(block.get(), next));
        if (moved != nullptr) {
          static_cast<void>(block.release());
          block.reset(moved);
        }
        const auto* bytes = static_cast<const unsigned char*>(block.get());
        for (std::size_t i = 0; i < size / 2; ++i) ASSERT_EQ(bytes[i], 0x5a);
      }
      const Block zeros(escape(std::calloc(size, 3)));
      void* aligned = nullptr;
      if (posix_memalign(&aligned, 256, size) != 0) aligned = nullptr;
      const Block aligned_owner(aligned);
      const Block text(escape(strdup("a text")));
      const Block page(escape(pvalloc(size)));
    }
  });
}

TEST(OutOfMemory, AtEveryPointOfAResourcesWorkLosesNothing) {
  fail_at_every_point([](ResourceGroupToken heir) {
    TrackingResource resource(heir);
    std::pmr::monotonic_buffer_resource arena(1'000, &resource);
    std::pmr::vector<std::pmr::string> strings(&arena);
    for (int i = 0; i < 30; ++i) strings.emplace_back("a string that is too long to be kept inside");
  });
}

}  // namespace
}  // namespace bursar
