#pragma once

#include <bursar/alloc/block_tag.h>
#include <bursar/alloc/bootstrap_arena.h>
#include <bursar/alloc/upstream.h>

#include <cstddef>

namespace bursar::alloc {

// The functions of the allocator that comes next after ours in the dynamic linker's order: the one that the program
// would have used without us.
struct NextFunctions {
  void* (*allocate)(std::size_t);
  void* (*allocate_zeroed)(std::size_t, std::size_t);
  void* (*reallocate)(void*, std::size_t);
  int (*allocate_aligned)(void**, std::size_t, std::size_t);
  void (*release)(void*);
  std::size_t (*usable_size)(void*);
};

extern constinit NextFunctions next_functions;

// Whether the thread is inside of a function of the next allocator that calls others of its library by their public
// names, where ours stand before them: those calls are the allocator's own affair.
// (mimalloc: posix_memalign calls mi_malloc_aligned, and realloc mi_free. gperftools: posix_memalign calls tc_memalign.)
extern constinit thread_local bool inside_next_allocator [[gnu::tls_model("initial-exec")]];

class InsideNextAllocator {
 public:
  [[nodiscard]] InsideNextAllocator() noexcept : was_(inside_next_allocator) { inside_next_allocator = true; }
  ~InsideNextAllocator() { inside_next_allocator = was_; }
  InsideNextAllocator(const InsideNextAllocator&) = delete;
  InsideNextAllocator& operator=(const InsideNextAllocator&) = delete;

 private:
  bool was_;
};

enum class NextAllocator {
  Glibc,     // nothing stands between us and the C library
  Complete,  // another allocator, whose functions are in `next_functions` now
  Unknown,   // another one, which lacks a function or does not bring all of them itself
};

// Finds the next allocator, and calls each of its functions once, so that what it sets up on first use, and may
// allocate for that, is behind it. What is allocated meanwhile has to come from the BootstrapArena.
[[nodiscard]] NextAllocator find_next_allocator() noexcept;

// REQUIRES: find_next_allocator() answered `Complete`.
struct NextUpstream {
  static void* allocate(std::size_t bytes) noexcept { return next_functions.allocate(bytes); }
  static void* allocate_zeroed(std::size_t bytes) noexcept { return next_functions.allocate_zeroed(1, bytes); }
  [[nodiscard]] static void* allocate_aligned(std::size_t alignment, std::size_t bytes) noexcept;
  static void* reallocate(void* block, std::size_t bytes) noexcept {
    const InsideNextAllocator inside;
    return next_functions.reallocate(block, bytes);
  }
  static void release(void* block) noexcept { next_functions.release(block); }
  // Blocks of the arena are answered for as large ones, which the common path leaves alone.
  static std::size_t usable_size(void* block) noexcept {
    if (BootstrapArena::contains(block)) [[unlikely]] {
      return kLargeBlockBytes;
    }
    return next_functions.usable_size(block);
  }
};
static_assert(UpstreamAllocator<NextUpstream>);

}  // namespace bursar::alloc
