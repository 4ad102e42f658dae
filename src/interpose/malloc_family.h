#pragma once

#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstddef>

#include "interpose/tracked_malloc.h"

// What the C library's functions do beside allocating, for all the names that several libraries give them.
namespace bursar::interpose {

inline void* out_of_memory() noexcept {
  errno = ENOMEM;
  return nullptr;
}

inline std::size_t page_bytes() noexcept {
  return static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

inline void* reallocate_array(void* block, std::size_t count, std::size_t bytes) noexcept {
  std::size_t total = 0;
  return __builtin_mul_overflow(count, bytes, &total) ? out_of_memory() : reallocate(block, total);
}

// As posix_memalign: an error, and neither errno nor, where there is one, the result is touched.
inline int allocate_aligned_into(void** result, std::size_t alignment, std::size_t bytes) noexcept {
  if (alignment % sizeof(void*) != 0 || !std::has_single_bit(alignment)) return EINVAL;
  const int saved_errno = errno;
  void* block = allocate_aligned(alignment, bytes);
  errno = saved_errno;
  if (block == nullptr) return ENOMEM;
  *result = block;
  return 0;
}

inline void* allocate_page_aligned(std::size_t bytes) noexcept {
  return allocate_aligned(page_bytes(), bytes);
}

inline void* allocate_whole_pages(std::size_t bytes) noexcept {
  std::size_t rounded = 0;
  if (__builtin_add_overflow(bytes, page_bytes() - 1, &rounded)) return out_of_memory();
  return allocate_aligned(page_bytes(), rounded / page_bytes() * page_bytes());
}

}  // namespace bursar::interpose
