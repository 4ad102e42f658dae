#pragma once

#include <cstddef>

namespace bursar::alloc {

// Blocks for the few allocations that happen while the tracker looks for its upstream, and so cannot ask it: out of a
// static array, never given back. They are the program's image, not its heap, and are not counted.
//
// Thread-safety: any thread. Allocates: no. Blocks: no.
class BootstrapArena {
 public:
  // Zeros, aligned to `alignment` (a power of two). Null where the arena is used up.
  [[nodiscard]] static void* allocate(std::size_t alignment, std::size_t bytes) noexcept;
  [[nodiscard]] static bool contains(const void* block) noexcept;
  // What was asked for. REQUIRES: contains(block).
  [[nodiscard]] static std::size_t size_of(const void* block) noexcept;
};

}  // namespace bursar::alloc
