#pragma once

#include <malloc.h>

#include <concepts>
#include <cstddef>
#include <cstdlib>

namespace bursar {

// Where a TrackingAllocator gets its blocks from: what it is asked for is a little more than what the program asked
// for. `usable_size` answers how many bytes of a block may be written, and is asked at every allocation and release.
// None may throw. `allocate_zeroed` and `reallocate` exist so that what the upstream does well (fresh pages left
// untouched, growth in place) is not lost.
template <typename T>
concept UpstreamAllocator = requires(T upstream, void* block, std::size_t bytes, std::size_t alignment) {
  { upstream.allocate(bytes) } noexcept -> std::same_as<void*>;
  { upstream.allocate_zeroed(bytes) } noexcept -> std::same_as<void*>;
  { upstream.allocate_aligned(alignment, bytes) } noexcept -> std::same_as<void*>;
  { upstream.reallocate(block, bytes) } noexcept -> std::same_as<void*>;
  { upstream.release(block) } noexcept;
  { upstream.usable_size(block) } noexcept -> std::same_as<std::size_t>;
};

// Whatever `malloc` is in this program. REQUIRES: it is not tracked itself, or every block counts twice.
//
// Thread-safety: as malloc. Allocates: that is what it does. Blocks: as malloc.
struct MallocUpstream {
  void* allocate(std::size_t bytes) noexcept { return std::malloc(bytes); }
  void* allocate_zeroed(std::size_t bytes) noexcept { return std::calloc(1, bytes); }
  void* allocate_aligned(std::size_t alignment, std::size_t bytes) noexcept {
    void* block = nullptr;
    return posix_memalign(&block, alignment < sizeof(void*) ? sizeof(void*) : alignment, bytes) == 0 ? block : nullptr;
  }
  void* reallocate(void* block, std::size_t bytes) noexcept { return std::realloc(block, bytes); }
  void release(void* block) noexcept { std::free(block); }
  std::size_t usable_size(void* block) noexcept { return malloc_usable_size(block); }
};
static_assert(UpstreamAllocator<MallocUpstream>);

}  // namespace bursar
