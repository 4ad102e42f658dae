#pragma once

#include <cstddef>
#include <cstdint>

namespace bursar::alloc {

namespace internal {
inline constexpr std::size_t kArenaBytes = std::size_t{256} << 10;
extern constinit std::byte arena_memory[kArenaBytes];
}  // namespace internal

// Blocks for the few allocations that happen while the tracker looks for its upstream, and so cannot ask it: out of a
// static array, never given back. They are the program's image, not its heap, and are not counted.
//
// Thread-safety: any thread. Allocates: no. Blocks: no.
class BootstrapArena {
 public:
  // Zeros, aligned to `alignment` (a power of two). Null where the arena is used up.
  [[nodiscard]] static void* allocate(std::size_t alignment, std::size_t bytes) noexcept;
  // Inline: it stands in the common path over other upstreams than glibc.
  [[nodiscard]] static bool contains(const void* block) noexcept {
    const auto address = reinterpret_cast<std::uintptr_t>(block);
    const auto start = reinterpret_cast<std::uintptr_t>(&internal::arena_memory[0]);
    return address - start < internal::kArenaBytes;
  }
  // Whether it has never given a block.
  [[nodiscard]] static bool is_untouched() noexcept;
  // What was asked for. REQUIRES: contains(block).
  [[nodiscard]] static std::size_t size_of(const void* block) noexcept;
};

}  // namespace bursar::alloc
