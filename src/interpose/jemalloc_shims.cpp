// jemalloc's own interface: blocks with flags, which choose alignment, zeros, cache and arena. The flags go on to
// jemalloc's functions, the books are ours.
//
// These stand apart from the shims of malloc, in an object and a preload library of their own, because programs find
// out by `mallocx` and its kin whether jemalloc is there: what does not follow must not seem to be there. They are for
// programs that are linked with jemalloc. Where no jemalloc follows after all, nothing is allocated here.

#include <bursar/alloc/block_tag.h>
#include <bursar/alloc/bootstrap_arena.h>
#include <bursar/alloc/ownership.h>
#include <bursar/alloc/tracking_allocator.h>
#include <bursar/alloc/upstream.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>

#include "interpose/next_entry.h"
#include "interpose/tracked_malloc.h"

#define BURSAR_SHIM extern "C" [[gnu::visibility("default")]]

namespace {

using namespace bursar::interpose;
using bursar::TrackingAllocator;
using bursar::alloc::BootstrapArena;
using bursar::alloc::TagInSlack;

// jemalloc's manual, "Non-standard API": the flags' lowest six bits are the alignment's logarithm.
constexpr int kZeroFlag = 0x40;

constinit NextEntry<void*(std::size_t, int)> next_mallocx{"mallocx"};
constinit NextEntry<void*(void*, std::size_t, int)> next_rallocx{"rallocx"};
constinit NextEntry<std::size_t(void*, std::size_t, std::size_t, int)> next_xallocx{"xallocx"};
constinit NextEntry<std::size_t(const void*, int)> next_sallocx{"sallocx"};
constinit NextEntry<void(void*, int)> next_dallocx{"dallocx"};
constinit NextEntry<std::size_t(std::size_t, int)> next_nallocx{"nallocx"};

bool jemalloc_follows() noexcept {
  return next_mallocx.find() != nullptr && next_rallocx.find() != nullptr && next_xallocx.find() != nullptr &&
         next_sallocx.find() != nullptr && next_dallocx.find() != nullptr && next_nallocx.find() != nullptr;
}

// REQUIRES: jemalloc_follows().
struct Jemalloc {
  int flags;

  [[nodiscard]] void* allocate(std::size_t bytes) const noexcept { return next_mallocx.find()(bytes, flags); }
  [[nodiscard]] void* allocate_zeroed(std::size_t bytes) const noexcept {
    return next_mallocx.find()(bytes, flags | kZeroFlag);
  }
  [[nodiscard]] void* allocate_aligned(std::size_t alignment, std::size_t bytes) const noexcept {
    return next_mallocx.find()(bytes, flags | std::countr_zero(alignment));
  }
  [[nodiscard]] void* reallocate(void* block, std::size_t bytes) const noexcept {
    return next_rallocx.find()(block, bytes, flags);
  }
  void release(void* block) const noexcept { next_dallocx.find()(block, flags); }
  // Blocks of the arena are answered for as large ones, which the common path leaves alone.
  [[nodiscard]] std::size_t usable_size(void* block) const noexcept {
    return BootstrapArena::contains(block) ? bursar::alloc::kLargeBlockBytes : next_sallocx.find()(block, flags);
  }
};
static_assert(bursar::UpstreamAllocator<Jemalloc>);

using TrackedJemalloc = TrackingAllocator<Jemalloc, TagInSlack>;

// Calls `use(allocator)` with jemalloc under these flags, tracked or passed through. REQUIRES: jemalloc_follows().
template <typename Use>
auto with_jemalloc(int flags, Use use) noexcept {
  return is_tracked(decided_mode()) ? use(TrackedJemalloc(Jemalloc{flags}))
                                    : use(PassThrough<Jemalloc>(Jemalloc{flags}));
}

// What the program asked to be zeros, and jemalloc believes to have been the program's already: where the tag was.
void clear_former_tag(void* block, std::size_t writable_before, std::size_t writable_now, int flags) noexcept {
  if ((flags & kZeroFlag) == 0 || writable_now <= writable_before) return;
  std::memset(static_cast<std::byte*>(block) + writable_before, 0,
              std::min(writable_now - writable_before, bursar::alloc::kTagBytes));
}

}  // namespace

BURSAR_SHIM void* mallocx(std::size_t bytes, int flags) noexcept {
  if (!jemalloc_follows()) return nullptr;
  return with_jemalloc(flags, [=](auto&& allocator) { return allocator.allocate(bytes); });
}

BURSAR_SHIM void* rallocx(void* block, std::size_t bytes, int flags) noexcept {
  if (!jemalloc_follows()) return nullptr;
  return with_jemalloc(flags, [=](auto&& allocator) {
    const std::size_t writable_before = allocator.usable_size(block);
    void* moved = allocator.reallocate(block, bytes);
    if (moved != nullptr) clear_former_tag(moved, writable_before, allocator.usable_size(moved), flags);
    return moved;
  });
}

BURSAR_SHIM std::size_t xallocx(void* block, std::size_t bytes, std::size_t extra, int flags) noexcept {
  if (!jemalloc_follows()) return usable_size(block);
  return with_jemalloc(flags, [=](auto&& allocator) {
    const auto resize = [=](std::size_t request) { return next_xallocx.find()(block, request, extra, flags); };
    if constexpr (requires { allocator.resize_in_place(block, bytes, resize); }) {
      const std::size_t writable_before = allocator.usable_size(block);
      const std::size_t writable_now = allocator.resize_in_place(block, bytes, resize);
      clear_former_tag(block, writable_before, writable_now, flags);
      return writable_now;
    } else {
      return resize(bytes);
    }
  });
}

BURSAR_SHIM std::size_t sallocx(const void* block, int flags) noexcept {
  void* const asked = const_cast<void*>(block);
  if (!jemalloc_follows()) return usable_size(asked);
  return with_jemalloc(flags, [=](auto&& allocator) { return allocator.usable_size(asked); });
}

BURSAR_SHIM void dallocx(void* block, int flags) noexcept {
  if (!jemalloc_follows()) return deallocate(block);
  with_jemalloc(flags, [=](auto&& allocator) { allocator.deallocate(block); });
}

// Without the size: it is the one that the program asked for, and jemalloc was asked for a little more.
BURSAR_SHIM void sdallocx(void* block, std::size_t /*bytes*/, int flags) noexcept {
  dallocx(block, flags);
}

BURSAR_SHIM std::size_t nallocx(std::size_t bytes, int flags) noexcept {
  if (!jemalloc_follows()) return 0;
  const auto upstream_bytes_for = [=](std::size_t request) { return next_nallocx.find()(request, flags); };
  return is_tracked(decided_mode()) ? TrackedJemalloc::usable_size_for(bytes, upstream_bytes_for)
                                    : upstream_bytes_for(bytes);
}
