#include "unit/alloc/torture.h"

#include <malloc.h>

#include <cstddef>
#include <cstdint>

#include <bursar/alloc/ownership.h>
#include <bursar/alloc/tracking_allocator.h>
#include <gtest/gtest.h>

#include "unit/alloc/tight_upstream.h"
#include "unit/groups/process_size.h"

namespace bursar {
namespace {

using testing::Torture;
using testing::TortureOptions;

// A tracking allocator as the interface that is put to the torture.
template <typename Upstream, typename Owners>
struct AllocatorApi {
  Upstream upstream;
  TrackingAllocator<Upstream, Owners> allocator{upstream};

  void* allocate(std::size_t bytes) { return allocator.allocate(bytes); }
  void* allocate_zeroed(std::size_t count, std::size_t bytes) { return allocator.allocate_zeroed(count, bytes); }
  void* allocate_aligned(std::size_t alignment, std::size_t bytes) {
    return allocator.allocate_aligned(alignment, bytes);
  }
  void* reallocate(void* block, std::size_t bytes) { return allocator.reallocate(block, bytes); }
  void release(void* block) { allocator.deallocate(block); }
  bool transfer(void* block, ResourceGroupToken token) { return allocator.transfer(block, token); }
  std::size_t writable_bytes(void* block) { return allocator.usable_size(block); }
  std::uint64_t books_bytes(void* block) { return upstream.usable_size(block); }
};

TortureOptions options() {
  return TortureOptions::from_environment(testing::kSanitized ? 60'000 : 600'000);
}

TEST(Torture, OverMallocTheBooksAgreeToTheByte) {
  AllocatorApi<MallocUpstream, alloc::AskedTag> api{};
  Torture(api, options()).run();
}

TEST(Torture, OverTightSizesTheBooksAgreeToTheByte) {
  testing::UpstreamBooks books;
  {
    AllocatorApi<testing::TightUpstream, alloc::AskedTag> api{testing::TightUpstream(books)};
    Torture(api, options()).run();
  }
  EXPECT_EQ(books.live_blocks, 0U);
}

TEST(Torture, OverTightSizesWithTheIndexTheBooksAgreeToTheByte) {
  testing::UpstreamBooks books;
  {
    AllocatorApi<testing::TightUpstream, alloc::TagInSlack> api{testing::TightUpstream(books)};
    Torture(api, options()).run();
  }
  EXPECT_EQ(books.live_blocks, 0U);
}

TEST(Torture, OverMallocWithTagsInSlackTheBooksAgreeToTheByte) {
  AllocatorApi<MallocUpstream, alloc::TagInSlack> api{};
  Torture(api, options()).run();
}

}  // namespace
}  // namespace bursar
