#pragma once

#include <bursar/alloc/upstream.h>

#include <cstddef>
#include <cstring>

extern "C" {
// glibc's malloc under the names that nothing interposes.
void* __libc_malloc(std::size_t bytes) noexcept;
void* __libc_calloc(std::size_t count, std::size_t bytes) noexcept;
void* __libc_realloc(void* block, std::size_t bytes) noexcept;
void* __libc_memalign(std::size_t alignment, std::size_t bytes) noexcept;
void __libc_free(void* block) noexcept;
}

namespace bursar::alloc {

// What glibc gives, with two ways to ask for a block's size.
struct GlibcBlocks {
  static void* allocate(std::size_t bytes) noexcept { return __libc_malloc(bytes); }
  static void* allocate_zeroed(std::size_t bytes) noexcept { return __libc_calloc(1, bytes); }
  static void* allocate_aligned(std::size_t alignment, std::size_t bytes) noexcept {
    return __libc_memalign(alignment, bytes);
  }
  static void* reallocate(void* block, std::size_t bytes) noexcept { return __libc_realloc(block, bytes); }
  static void release(void* block) noexcept { __libc_free(block); }
};

// Reads the size where glibc keeps it, in the word before the block: its low three bits are flags, of which the second
// says that the block was mapped by itself and so has two words before it instead of one. (glibc: malloc/malloc.c,
// "Chunk representation".) To be used only where `glibc_header_is_as_expected()`.
struct GlibcByHeader : GlibcBlocks {
  static std::size_t usable_size(void* block) noexcept {
    std::size_t word = 0;
    std::memcpy(&word, static_cast<const std::byte*>(block) - sizeof(word), sizeof(word));
    constexpr std::size_t kMapped = 2;
    constexpr std::size_t kFlags = 7;
    static_assert(kMapped * 4 == sizeof(word));
    return (word & ~kFlags) - sizeof(word) - (word & kMapped) * 4;
  }
};

// Asks glibc's malloc_usable_size.
struct GlibcByCall : GlibcBlocks {
  [[nodiscard]] static std::size_t usable_size(void* block) noexcept;
};

// Tries the header on blocks of several kinds.
[[nodiscard]] bool glibc_header_is_as_expected() noexcept;

static_assert(UpstreamAllocator<GlibcByHeader> && UpstreamAllocator<GlibcByCall>);

}  // namespace bursar::alloc
