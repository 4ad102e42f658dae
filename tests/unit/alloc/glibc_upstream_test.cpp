#include "alloc/glibc_upstream.h"

#include <bursar/base/sanitizer.h>

#include <cstring>
#include <vector>

#include <gtest/gtest.h>

#include "unit/groups/process_size.h"

namespace bursar::alloc {
namespace {

TEST(GlibcUpstream, ItsHeadersSayWhatItsFunctionSaysForBlocksOfEveryKind) {
  if (testing::kSanitized) GTEST_SKIP() << "the sanitizer's malloc_usable_size knows no blocks of glibc's";
  ASSERT_TRUE(glibc_header_is_as_expected());
  for (std::size_t bytes = 0; bytes < 3'000'000; bytes = bytes < 3'000 ? bytes + 1 : bytes + bytes / 7) {
    void* block = GlibcBlocks::allocate(bytes);
    ASSERT_NE(block, nullptr);
    ASSERT_EQ(GlibcByHeader::usable_size(block), GlibcByCall::usable_size(block)) << bytes;
    ASSERT_GE(GlibcByHeader::usable_size(block), bytes);
    block = GlibcBlocks::reallocate(block, bytes + 100);
    ASSERT_EQ(GlibcByHeader::usable_size(block), GlibcByCall::usable_size(block)) << bytes;
    GlibcBlocks::release(block);
    block = GlibcBlocks::allocate_zeroed(bytes);
    ASSERT_EQ(GlibcByHeader::usable_size(block), GlibcByCall::usable_size(block)) << bytes;
    GlibcBlocks::release(block);
  }
  for (std::size_t alignment = 16; alignment <= (std::size_t{1} << 21); alignment *= 2) {
    for (const std::size_t bytes : {std::size_t{0}, std::size_t{10}, alignment, std::size_t{500'000}}) {
      void* block = GlibcBlocks::allocate_aligned(alignment, bytes);
      ASSERT_EQ(GlibcByHeader::usable_size(block), GlibcByCall::usable_size(block)) << alignment << ' ' << bytes;
      GlibcBlocks::release(block);
    }
  }
}

}  // namespace
}  // namespace bursar::alloc
