#pragma once

#include <bursar/alloc/bootstrap_arena.h>
#include <bursar/alloc/tracking_allocator.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "alloc/glibc_upstream.h"
#include "alloc/next_upstream.h"

namespace bursar::interpose {

// How this process's blocks are tracked: decided once, at the first block, and then for all.
enum class Mode : std::uint8_t {
  Undecided,
  Deciding,       // blocks come from the bootstrap arena
  GlibcByHeader,  // tracked over glibc, whose headers tell the sizes
  GlibcByCall,    // tracked over glibc, which is asked for the sizes
  Next,           // tracked over another allocator
  OffGlibc,       // BURSAR_TRACKING=off: passed through
  OffNext,
};

extern constinit std::atomic<Mode> mode;
[[gnu::cold, gnu::noinline]] void decide_mode() noexcept;

inline constinit TrackingAllocator<alloc::GlibcByHeader> glibc_by_header;
inline constinit TrackingAllocator<alloc::GlibcByCall> glibc_by_call;
inline constinit TrackingAllocator<alloc::NextUpstream, alloc::TagInSlack> next;

// The functions of a tracking allocator, without tracking.
template <typename Upstream>
class PassThrough {
 public:
  constexpr PassThrough() noexcept = default;
  constexpr explicit PassThrough(Upstream upstream) noexcept : upstream_(upstream) {}

  void* allocate(std::size_t bytes) noexcept { return upstream_.allocate(bytes); }
  void* allocate_zeroed(std::size_t count, std::size_t bytes) noexcept {
    std::size_t total = 0;
    return upstream_.allocate_zeroed(__builtin_mul_overflow(count, bytes, &total) ? ~std::size_t{0} : total);
  }
  void* allocate_aligned(std::size_t alignment, std::size_t bytes) noexcept {
    return upstream_.allocate_aligned(alignment, bytes);
  }
  void* reallocate(void* block, std::size_t bytes) noexcept {
    if (!alloc::BootstrapArena::contains(block)) return upstream_.reallocate(block, bytes);
    void* moved = upstream_.allocate(bytes);
    if (moved != nullptr) std::memcpy(moved, block, std::min(bytes, alloc::BootstrapArena::size_of(block)));
    return moved;
  }
  void deallocate(void* block) noexcept {
    if (!alloc::BootstrapArena::contains(block)) upstream_.release(block);
  }
  std::size_t usable_size(void* block) noexcept {
    if (alloc::BootstrapArena::contains(block)) return alloc::BootstrapArena::size_of(block);
    return block == nullptr ? 0 : upstream_.usable_size(block);
  }

 private:
  [[no_unique_address]] Upstream upstream_;
};

// Where blocks come from while the mode is being decided.
struct BootstrapUpstream {
  static void* allocate(std::size_t bytes) noexcept { return alloc::BootstrapArena::allocate(1, bytes); }
  static void* allocate_zeroed(std::size_t bytes) noexcept { return allocate(bytes); }
  static void* allocate_aligned(std::size_t alignment, std::size_t bytes) noexcept {
    return alloc::BootstrapArena::allocate(alignment, bytes);
  }
  static void* reallocate(void* /*block*/, std::size_t bytes) noexcept { return allocate(bytes); }
  static void release(void* /*block*/) noexcept {}
  static std::size_t usable_size(void* /*block*/) noexcept { return 0; }
};

// `Deciding` only to what is called in the course of the decision.
inline Mode decided_mode() noexcept {
  if (mode.load(std::memory_order_relaxed) == Mode::Undecided) decide_mode();
  // Acquire: the functions that were found stand behind the mode.
  return mode.load(std::memory_order_acquire);
}
[[nodiscard]] inline bool is_tracked(Mode decided) noexcept {
  return decided == Mode::GlibcByHeader || decided == Mode::GlibcByCall || decided == Mode::Next;
}

template <typename Use>
[[gnu::cold, gnu::noinline]] auto with_uncommon_allocator(Use use) noexcept {
  switch (decided_mode()) {
    case Mode::GlibcByHeader:
      return use(glibc_by_header);
    case Mode::GlibcByCall:
      return use(glibc_by_call);
    case Mode::Next:
      return use(next);
    case Mode::OffGlibc:
      return use(PassThrough<alloc::GlibcByCall>());
    case Mode::OffNext:
      return use(PassThrough<alloc::NextUpstream>());
    case Mode::Undecided:
    case Mode::Deciding:
      break;
  }
  return use(PassThrough<BootstrapUpstream>());
}

// Calls `use(allocator)` with the allocator of this process.
template <typename Use>
auto with_allocator(Use use) noexcept {
  if (mode.load(std::memory_order_relaxed) == Mode::GlibcByHeader) [[likely]] {
    return use(glibc_by_header);
  }
  return with_uncommon_allocator(use);
}

// The two calls that a program makes most, for whatever mode it is: where tracking is off, the upstream's own functions.
// Set after the mode.
extern constinit std::atomic<void* (*)(std::size_t) noexcept> allocate_target;
extern constinit std::atomic<void (*)(void*) noexcept> deallocate_target;

inline void* allocate(std::size_t bytes) noexcept {
  if (mode.load(std::memory_order_relaxed) == Mode::GlibcByHeader) [[likely]] {
    return glibc_by_header.allocate(bytes);
  }
  // Acquire: the upstream's functions were found before.
  return allocate_target.load(std::memory_order_acquire)(bytes);
}
inline void deallocate(void* block) noexcept {
  if (mode.load(std::memory_order_relaxed) == Mode::GlibcByHeader) [[likely]] {
    return glibc_by_header.deallocate(block);
  }
  deallocate_target.load(std::memory_order_acquire)(block);
}
inline void* allocate_zeroed(std::size_t count, std::size_t bytes) noexcept {
  return with_allocator([=](auto&& allocator) { return allocator.allocate_zeroed(count, bytes); });
}
inline void* allocate_aligned(std::size_t alignment, std::size_t bytes) noexcept {
  return with_allocator([=](auto&& allocator) { return allocator.allocate_aligned(alignment, bytes); });
}
inline void* reallocate(void* block, std::size_t bytes) noexcept {
  return with_allocator([=](auto&& allocator) { return allocator.reallocate(block, bytes); });
}
inline std::size_t usable_size(void* block) noexcept {
  return with_allocator([=](auto&& allocator) { return allocator.usable_size(block); });
}

}  // namespace bursar::interpose
