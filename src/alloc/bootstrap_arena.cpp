#include <bursar/alloc/bootstrap_arena.h>

#include <atomic>
#include <cstdint>
#include <cstring>

namespace bursar::alloc {
namespace {

constexpr std::size_t kArenaBytes = std::size_t{256} << 10;
constexpr std::size_t kBlockAlignment = 16;

alignas(4096) constinit std::byte memory[kArenaBytes] = {};
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
  const auto first = reinterpret_cast<std::uintptr_t>(&memory[start]) + sizeof(Header);
  std::byte* block = &memory[start] + sizeof(Header) + ((alignment - first % alignment) % alignment);
  const Header header{bytes};
  std::memcpy(block - sizeof(Header), &header, sizeof(Header));
  return block;
}

bool BootstrapArena::contains(const void* block) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(block);
  const auto start = reinterpret_cast<std::uintptr_t>(&memory[0]);
  return address - start < kArenaBytes;
}

std::size_t BootstrapArena::size_of(const void* block) noexcept {
  Header header{};
  std::memcpy(&header, static_cast<const std::byte*>(block) - sizeof(Header), sizeof(Header));
  return header.bytes;
}

}  // namespace bursar::alloc
