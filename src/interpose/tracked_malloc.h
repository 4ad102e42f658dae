#pragma once

#include <bursar/alloc/tracking_allocator.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "alloc/glibc_upstream.h"

namespace bursar::interpose {

// How this process's blocks are tracked: decided once, before the first block, and then for all.
enum class Mode : std::uint8_t {
  Undecided,
  ByHeader,  // sizes are read from glibc's headers
  ByCall,    // sizes are asked for
  Off,       // BURSAR_TRACKING=off
};

extern constinit std::atomic<Mode> mode;
[[gnu::cold, gnu::noinline]] Mode decide_mode() noexcept;

inline constinit TrackingAllocator<alloc::GlibcByHeader> by_header;
inline constinit TrackingAllocator<alloc::GlibcByCall> by_call;

template <typename Use, typename Off>
[[gnu::cold, gnu::noinline]] auto with_uncommon_allocator(Use use, Off off) noexcept {
  Mode now = mode.load(std::memory_order_relaxed);
  if (now == Mode::Undecided) now = decide_mode();
  switch (now) {
    case Mode::ByHeader:
      return use(by_header);
    case Mode::ByCall:
      return use(by_call);
    default:
      return off();
  }
}

// Calls `use(allocator)` with the tracking allocator of this process, or `off()` where there is none.
template <typename Use, typename Off>
auto with_allocator(Use use, Off off) noexcept {
  if (mode.load(std::memory_order_relaxed) == Mode::ByHeader) [[likely]] {
    return use(by_header);
  }
  return with_uncommon_allocator(use, off);
}

inline void* allocate(std::size_t bytes) noexcept {
  return with_allocator([=](auto& allocator) { return allocator.allocate(bytes); },
                        [=] { return alloc::GlibcBlocks::allocate(bytes); });
}

inline void deallocate(void* block) noexcept {
  with_allocator([=](auto& allocator) { allocator.deallocate(block); }, [=] { alloc::GlibcBlocks::release(block); });
}

inline void* allocate_aligned(std::size_t alignment, std::size_t bytes) noexcept {
  return with_allocator([=](auto& allocator) { return allocator.allocate_aligned(alignment, bytes); },
                        [=] { return alloc::GlibcBlocks::allocate_aligned(alignment, bytes); });
}

inline void* reallocate(void* block, std::size_t bytes) noexcept {
  return with_allocator([=](auto& allocator) { return allocator.reallocate(block, bytes); },
                        [=] { return alloc::GlibcBlocks::reallocate(block, bytes); });
}

}  // namespace bursar::interpose
