// mimalloc under its own names. Most are synonyms of the C library's functions and come to the same tracked functions.
//
// These stand apart from the shims of malloc, in an object and a preload library of their own: a program that looks for
// `mi_malloc` to find out whether mimalloc is there must not find ours. They are for programs that are linked with it.
//
// Not covered are the heaps of the program's own, `mi_heap_*`: they release their blocks all at once, without telling
// anybody which. A block of one is charged to nobody; where `mi_free` releases it, it is counted as a foreign block.
// `mi_wcsdup`, `mi_mbsdup` and `mi_dupenv_s` allocate through the functions below.

#include <bursar/alloc/ownership.h>
#include <bursar/alloc/tracking_allocator.h>
#include <bursar/alloc/upstream.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "alloc/next_upstream.h"
#include "interpose/allocate_or_throw.h"
#include "interpose/malloc_family.h"
#include "interpose/next_entry.h"
#include "interpose/tracked_malloc.h"

#define BURSAR_SHIM extern "C" [[gnu::visibility("default")]]

namespace {

using namespace bursar::interpose;
using bursar::alloc::inside_next_allocator;
using bursar::alloc::InsideNextAllocator;

constinit NextEntry<void*(std::size_t, std::size_t)> next_malloc_aligned{"mi_malloc_aligned"};
constinit NextEntry<void*(std::size_t, std::size_t, std::size_t)> next_malloc_aligned_at{"mi_malloc_aligned_at"};
constinit NextEntry<void*(std::size_t, std::size_t, std::size_t)> next_zalloc_aligned_at{"mi_zalloc_aligned_at"};
constinit NextEntry<std::size_t(std::size_t)> next_good_size{"mi_good_size"};

// mimalloc's blocks of which not the beginning is aligned but the place at `offset`. REQUIRES: mimalloc follows.
struct AlignedAt {
  std::size_t alignment;
  std::size_t offset;

  [[nodiscard]] void* allocate(std::size_t bytes) const noexcept {
    const InsideNextAllocator inside;
    return next_malloc_aligned_at.find()(bytes, alignment, offset);
  }
  [[nodiscard]] void* allocate_zeroed(std::size_t bytes) const noexcept {
    const InsideNextAllocator inside;
    return next_zalloc_aligned_at.find()(bytes, alignment, offset);
  }
  [[nodiscard]] void* allocate_aligned(std::size_t /*alignment*/, std::size_t bytes) const noexcept {
    return allocate(bytes);
  }
  [[nodiscard]] void* reallocate(void* block, std::size_t bytes) const noexcept {
    return bursar::alloc::NextUpstream::reallocate(block, bytes);
  }
  void release(void* block) const noexcept { bursar::alloc::NextUpstream::release(block); }
  [[nodiscard]] std::size_t usable_size(void* block) const noexcept {
    return bursar::alloc::NextUpstream::usable_size(block);
  }
};
static_assert(bursar::UpstreamAllocator<AlignedAt>);

template <typename Use>
void* with_aligned_at(std::size_t alignment, std::size_t offset, Use use) noexcept {
  const Mode decided = decided_mode();
  const AlignedAt upstream{alignment, offset};
  if (next_malloc_aligned_at.find() == nullptr || next_zalloc_aligned_at.find() == nullptr) return out_of_memory();
  if (decided == Mode::Next) return use(bursar::TrackingAllocator<AlignedAt, bursar::alloc::TagInSlack>(upstream));
  return decided == Mode::OffNext ? use(PassThrough<AlignedAt>(upstream)) : out_of_memory();
}

void* allocate_aligned_at(std::size_t bytes, std::size_t alignment, std::size_t offset) noexcept {
  return with_aligned_at(alignment, offset, [=](auto&& allocator) { return allocator.allocate(bytes); });
}
void* allocate_zeroed_aligned_at(std::size_t count, std::size_t bytes, std::size_t alignment,
                                 std::size_t offset) noexcept {
  return with_aligned_at(alignment, offset, [=](auto&& allocator) { return allocator.allocate_zeroed(count, bytes); });
}

void* allocate_zeroed_aligned(std::size_t count, std::size_t bytes, std::size_t alignment) noexcept {
  return allocate_zeroed_aligned_at(count, bytes, alignment, 0);
}

// Into a new block, which `allocate(bytes)` gives.
template <typename Allocate>
void* move_into(Allocate allocate, void* block, std::size_t bytes) noexcept {
  void* moved = allocate(bytes);
  if (moved == nullptr || block == nullptr) return moved;
  std::memcpy(moved, block, std::min(bytes, usable_size(block)));
  deallocate(block);
  return moved;
}

// mimalloc's functions that grow a block in zeros say: of a block that was allocated in zeros.
template <typename Reallocate>
void* reallocate_zeroed(Reallocate reallocate_block, void* block, std::size_t bytes) noexcept {
  const std::size_t writable_before = usable_size(block);
  void* moved = reallocate_block(block, bytes);
  if (moved != nullptr && bytes > writable_before) {
    std::memset(static_cast<std::byte*>(moved) + writable_before, 0, usable_size(moved) - writable_before);
  }
  return moved;
}

void* reallocate_aligned(void* block, std::size_t bytes, std::size_t alignment) noexcept {
  return move_into([=](std::size_t wanted) { return allocate_aligned(alignment, wanted); }, block, bytes);
}
void* reallocate_aligned_at(void* block, std::size_t bytes, std::size_t alignment, std::size_t offset) noexcept {
  return move_into([=](std::size_t wanted) { return allocate_aligned_at(wanted, alignment, offset); }, block, bytes);
}

// Null and ENOMEM where `count * bytes` is more than there can be, else `use` of it.
template <typename Use>
void* with_product(std::size_t count, std::size_t bytes, Use use) noexcept {
  std::size_t total = 0;
  return __builtin_mul_overflow(count, bytes, &total) ? out_of_memory() : use(total);
}

char* duplicate(const char* text, std::size_t length) noexcept {
  auto* copy = static_cast<char*>(allocate(length + 1));
  if (copy == nullptr) return nullptr;
  std::memcpy(copy, text, length);
  copy[length] = '\0';
  return copy;
}

}  // namespace

BURSAR_SHIM void* mi_malloc(std::size_t bytes) noexcept {
  return allocate(bytes);
}
BURSAR_SHIM void* mi_malloc_small(std::size_t bytes) noexcept {
  return allocate(bytes);
}
BURSAR_SHIM void* mi_mallocn(std::size_t count, std::size_t bytes) noexcept {
  return with_product(count, bytes, [](std::size_t total) { return allocate(total); });
}
BURSAR_SHIM void* mi_zalloc(std::size_t bytes) noexcept {
  return allocate_zeroed(1, bytes);
}
BURSAR_SHIM void* mi_zalloc_small(std::size_t bytes) noexcept {
  return allocate_zeroed(1, bytes);
}
BURSAR_SHIM void* mi_calloc(std::size_t count, std::size_t bytes) noexcept {
  return allocate_zeroed(count, bytes);
}

// Unlike the C library's, mimalloc's realloc to nothing answers a block.
BURSAR_SHIM void* mi_realloc(void* block, std::size_t bytes) noexcept {
  return reallocate(block, std::max<std::size_t>(bytes, 1));
}
BURSAR_SHIM void* mi_reallocn(void* block, std::size_t count, std::size_t bytes) noexcept {
  return with_product(count, bytes, [=](std::size_t total) { return mi_realloc(block, total); });
}
BURSAR_SHIM void* mi_reallocarray(void* block, std::size_t count, std::size_t bytes) noexcept {
  return mi_reallocn(block, count, bytes);
}
BURSAR_SHIM int mi_reallocarr(void* place_of_block, std::size_t count, std::size_t bytes) noexcept {
  if (place_of_block == nullptr) return errno = EINVAL;
  void* block = nullptr;
  std::memcpy(static_cast<void*>(&block), place_of_block, sizeof(block));
  void* moved = mi_reallocn(block, count, bytes);
  if (moved == nullptr) return errno;
  std::memcpy(place_of_block, static_cast<const void*>(&moved), sizeof(moved));
  return 0;
}
BURSAR_SHIM void* mi_reallocf(void* block, std::size_t bytes) noexcept {
  void* moved = mi_realloc(block, bytes);
  if (moved == nullptr) deallocate(block);
  return moved;
}
BURSAR_SHIM void* mi_rezalloc(void* block, std::size_t bytes) noexcept {
  return reallocate_zeroed(&mi_realloc, block, bytes);
}
BURSAR_SHIM void* mi_recalloc(void* block, std::size_t count, std::size_t bytes) noexcept {
  return with_product(count, bytes, [=](std::size_t total) { return mi_rezalloc(block, total); });
}
BURSAR_SHIM void* mi_expand(void* block, std::size_t bytes) noexcept {
  return block != nullptr && bytes <= usable_size(block) ? block : nullptr;
}
// NOLINTNEXTLINE(bugprone-reserved-identifier): the name is mimalloc's.
BURSAR_SHIM void* mi__expand(void* block, std::size_t bytes) noexcept {
  void* expanded = mi_expand(block, bytes);
  return expanded == nullptr ? out_of_memory() : expanded;
}

BURSAR_SHIM void mi_free(void* block) noexcept {
  if (inside_next_allocator) return bursar::alloc::NextUpstream::release(block);
  deallocate(block);
}
BURSAR_SHIM void mi_cfree(void* block) noexcept {
  deallocate(block);
}
BURSAR_SHIM void mi_free_size(void* block, std::size_t /*bytes*/) noexcept {
  deallocate(block);
}
BURSAR_SHIM void mi_free_size_aligned(void* block, std::size_t /*bytes*/, std::size_t /*alignment*/) noexcept {
  deallocate(block);
}
BURSAR_SHIM void mi_free_aligned(void* block, std::size_t /*alignment*/) noexcept {
  deallocate(block);
}

BURSAR_SHIM std::size_t mi_usable_size(const void* block) noexcept {
  void* const asked = const_cast<void*>(block);
  return inside_next_allocator ? bursar::alloc::NextUpstream::usable_size(asked) : usable_size(asked);
}
BURSAR_SHIM std::size_t mi_malloc_size(const void* block) noexcept {
  return mi_usable_size(block);
}
BURSAR_SHIM std::size_t mi_malloc_usable_size(const void* block) noexcept {
  return mi_usable_size(block);
}
BURSAR_SHIM std::size_t mi_good_size(std::size_t bytes) noexcept {
  if (next_good_size.find() == nullptr) return bytes;
  const auto upstream_bytes_for = [](std::size_t request) { return next_good_size.find()(request); };
  return is_tracked(decided_mode()) ? decltype(next)::usable_size_for(bytes, upstream_bytes_for)
                                    : upstream_bytes_for(bytes);
}
BURSAR_SHIM std::size_t mi_malloc_good_size(std::size_t bytes) noexcept {
  return mi_good_size(bytes);
}

BURSAR_SHIM char* mi_strdup(const char* text) noexcept {
  return text == nullptr ? nullptr : duplicate(text, std::strlen(text));
}
BURSAR_SHIM char* mi_strndup(const char* text, std::size_t length) noexcept {
  return text == nullptr ? nullptr : duplicate(text, strnlen(text, length));
}
BURSAR_SHIM char* mi_realpath(const char* path, char* resolved) noexcept {
  if (resolved != nullptr) return realpath(path, resolved);
  char buffer[PATH_MAX];
  const char* found = realpath(path, buffer);
  return found == nullptr ? nullptr : mi_strdup(found);
}

BURSAR_SHIM void* mi_malloc_aligned(std::size_t bytes, std::size_t alignment) noexcept {
  if (inside_next_allocator && next_malloc_aligned.find() != nullptr) {
    return next_malloc_aligned.find()(bytes, alignment);
  }
  return allocate_aligned(alignment, bytes);
}
BURSAR_SHIM void* mi_zalloc_aligned(std::size_t bytes, std::size_t alignment) noexcept {
  return allocate_zeroed_aligned(1, bytes, alignment);
}
BURSAR_SHIM void* mi_calloc_aligned(std::size_t count, std::size_t bytes, std::size_t alignment) noexcept {
  return allocate_zeroed_aligned(count, bytes, alignment);
}
BURSAR_SHIM void* mi_realloc_aligned(void* block, std::size_t bytes, std::size_t alignment) noexcept {
  return reallocate_aligned(block, bytes, alignment);
}
BURSAR_SHIM void* mi_rezalloc_aligned(void* block, std::size_t bytes, std::size_t alignment) noexcept {
  return reallocate_zeroed([=](void* old, std::size_t wanted) { return reallocate_aligned(old, wanted, alignment); },
                           block, bytes);
}
BURSAR_SHIM void* mi_recalloc_aligned(void* block, std::size_t count, std::size_t bytes,
                                      std::size_t alignment) noexcept {
  return with_product(count, bytes, [=](std::size_t total) { return mi_rezalloc_aligned(block, total, alignment); });
}
BURSAR_SHIM void* mi_aligned_recalloc(void* block, std::size_t count, std::size_t bytes,
                                      std::size_t alignment) noexcept {
  return mi_recalloc_aligned(block, count, bytes, alignment);
}

BURSAR_SHIM void* mi_malloc_aligned_at(std::size_t bytes, std::size_t alignment, std::size_t offset) noexcept {
  return allocate_aligned_at(bytes, alignment, offset);
}
BURSAR_SHIM void* mi_zalloc_aligned_at(std::size_t bytes, std::size_t alignment, std::size_t offset) noexcept {
  return allocate_zeroed_aligned_at(1, bytes, alignment, offset);
}
BURSAR_SHIM void* mi_calloc_aligned_at(std::size_t count, std::size_t bytes, std::size_t alignment,
                                       std::size_t offset) noexcept {
  return allocate_zeroed_aligned_at(count, bytes, alignment, offset);
}
BURSAR_SHIM void* mi_realloc_aligned_at(void* block, std::size_t bytes, std::size_t alignment,
                                        std::size_t offset) noexcept {
  return reallocate_aligned_at(block, bytes, alignment, offset);
}
BURSAR_SHIM void* mi_rezalloc_aligned_at(void* block, std::size_t bytes, std::size_t alignment,
                                         std::size_t offset) noexcept {
  return reallocate_zeroed(
      [=](void* old, std::size_t wanted) { return reallocate_aligned_at(old, wanted, alignment, offset); }, block,
      bytes);
}
BURSAR_SHIM void* mi_recalloc_aligned_at(void* block, std::size_t count, std::size_t bytes, std::size_t alignment,
                                         std::size_t offset) noexcept {
  return with_product(count, bytes,
                      [=](std::size_t total) { return mi_rezalloc_aligned_at(block, total, alignment, offset); });
}
BURSAR_SHIM void* mi_aligned_offset_recalloc(void* block, std::size_t count, std::size_t bytes, std::size_t alignment,
                                             std::size_t offset) noexcept {
  return mi_recalloc_aligned_at(block, count, bytes, alignment, offset);
}

BURSAR_SHIM int mi_posix_memalign(void** result, std::size_t alignment, std::size_t bytes) noexcept {
  if (!inside_next_allocator) return allocate_aligned_into(result, alignment, bytes);
  void* block = mi_malloc_aligned(bytes, alignment);
  if (block == nullptr) return ENOMEM;
  *result = block;
  return 0;
}
BURSAR_SHIM void* mi_memalign(std::size_t alignment, std::size_t bytes) noexcept {
  return allocate_aligned(alignment, bytes);
}
BURSAR_SHIM void* mi_aligned_alloc(std::size_t alignment, std::size_t bytes) noexcept {
  return allocate_aligned(alignment, bytes);
}
BURSAR_SHIM void* mi_valloc(std::size_t bytes) noexcept {
  return allocate_page_aligned(bytes);
}
BURSAR_SHIM void* mi_pvalloc(std::size_t bytes) noexcept {
  return allocate_whole_pages(bytes);
}

BURSAR_SHIM void* mi_new(std::size_t bytes) {
  return allocate_or_throw([=] { return allocate(bytes); });
}
BURSAR_SHIM void* mi_new_aligned(std::size_t bytes, std::size_t alignment) {
  return allocate_or_throw([=] { return allocate_aligned(alignment, bytes); });
}
BURSAR_SHIM void* mi_new_nothrow(std::size_t bytes) noexcept {
  return null_if_it_throws([=] { return mi_new(bytes); });
}
BURSAR_SHIM void* mi_new_aligned_nothrow(std::size_t bytes, std::size_t alignment) noexcept {
  return null_if_it_throws([=] { return mi_new_aligned(bytes, alignment); });
}
BURSAR_SHIM void* mi_new_n(std::size_t count, std::size_t bytes) {
  return allocate_or_throw([=] { return mi_mallocn(count, bytes); });
}
BURSAR_SHIM void* mi_new_realloc(void* block, std::size_t bytes) {
  return allocate_or_throw([=] { return mi_realloc(block, bytes); });
}
BURSAR_SHIM void* mi_new_reallocn(void* block, std::size_t count, std::size_t bytes) {
  return allocate_or_throw([=] { return mi_reallocn(block, count, bytes); });
}
