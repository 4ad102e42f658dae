#include <bursar/alloc/bootstrap_arena.h>

#include <atomic>
#include <cstdint>
#include <cstring>

namespace bursar::alloc {

namespace internal {
alignas(4096) constinit std::byte arena_memory[kArenaBytes] = {};
}  // namespace internal

namespace {

using internal::arena_memory;
using internal::kArenaBytes;

constexpr std::size_t kBlockAlignment = 16;

constinit std::atomic<std::size_t> used_bytes{0};

// Stands before each block.
struct Header {
  std::size_t bytes;
};

}  // namespace

void* BootstrapArena::allocate(std::size_t alignment, std::size_t bytes) noexcept {
  if (alignment < kBlockAlignment) alignment = kBlockAlignment;
  if (bytes > kArenaBytes || alignment > kArenaBytes) return nullptr;
  const std::size_t taken = sizeof(Header) + alignment - 1 + bytes;
  const std::size_t start = used_bytes.fetch_add(taken, std::memory_order_relaxed);
  if (start + taken > kArenaBytes) return nullptr;
  const auto first = reinterpret_cast<std::uintptr_t>(&arena_memory[start]) + sizeof(Header);
  std::byte* block = &arena_memory[start] + sizeof(Header) + ((alignment - first % alignment) % alignment);
  const Header header{bytes};
  std::memcpy(block - sizeof(Header), &header, sizeof(Header));
  return block;
}

bool BootstrapArena::is_untouched() noexcept {
  return used_bytes.load(std::memory_order_relaxed) == 0;
}

std::size_t BootstrapArena::size_of(const void* block) noexcept {
  Header header{};
  std::memcpy(&header, static_cast<const std::byte*>(block) - sizeof(Header), sizeof(Header));
  return header.bytes;
}

}  // namespace bursar::alloc
