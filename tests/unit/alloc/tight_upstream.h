#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include <bursar/alloc/upstream.h>

namespace bursar::testing {

// What the upstreams of one test share.
struct UpstreamBooks {
  std::atomic<std::uint64_t> live_blocks{0};
  std::atomic<std::uint64_t> calls{0};
  // The call with this number fails, and no other; 0 fails none.
  std::atomic<std::uint64_t> fails_at{0};

  [[nodiscard]] bool next_call_fails() noexcept { return calls.fetch_add(1) + 1 == fails_at.load(); }
};

// An upstream whose blocks are exactly as large as was asked for, as those of jemalloc or mimalloc nearly are. Its
// blocks end where the C library's do, so that AddressSanitizer sees who writes beyond them.
class TightUpstream {
 public:
  explicit TightUpstream(UpstreamBooks& books) noexcept : books_(&books) {}

  void* allocate(std::size_t bytes) noexcept { return allocate_aligned(alignof(std::max_align_t), bytes); }
  void* allocate_zeroed(std::size_t bytes) noexcept {
    void* block = allocate(bytes);
    if (block != nullptr) std::memset(block, 0, bytes);
    return block;
  }
  void* allocate_aligned(std::size_t alignment, std::size_t bytes) noexcept {
    return books_->next_call_fails() ? nullptr : carve(alignment, bytes);
  }
  void* reallocate(void* block, std::size_t bytes) noexcept {
    if (books_->next_call_fails()) return nullptr;
    void* moved = carve(alignof(std::max_align_t), bytes);
    if (moved == nullptr) return nullptr;
    const std::size_t kept = usable_size(block) < bytes ? usable_size(block) : bytes;
    std::memcpy(moved, block, kept);
    release(block);
    return moved;
  }
  void release(void* block) noexcept {
    books_->live_blocks.fetch_sub(1);
    std::free(prefix_of(block)->begin);
  }
  std::size_t usable_size(void* block) noexcept { return prefix_of(block)->bytes; }

 private:
  struct Prefix {
    void* begin;
    std::size_t bytes;
  };
  static Prefix* prefix_of(void* block) noexcept { return static_cast<Prefix*>(block) - 1; }

  void* carve(std::size_t alignment, std::size_t bytes) noexcept {
    const std::size_t room = alignment < sizeof(Prefix) ? sizeof(Prefix) : alignment;
    void* begin = nullptr;
    if (bytes > (std::size_t{1} << 40) || posix_memalign(&begin, room, room + bytes) != 0) return nullptr;
    void* block = static_cast<std::byte*>(begin) + room;
    *prefix_of(block) = {.begin = begin, .bytes = bytes};
    books_->live_blocks.fetch_add(1);
    return block;
  }

  UpstreamBooks* books_;
};
static_assert(UpstreamAllocator<TightUpstream>);

}  // namespace bursar::testing
