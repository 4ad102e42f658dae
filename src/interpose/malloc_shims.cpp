// The C library's allocation functions, under their own names. glibc's own callers, and those of every shared library,
// find these first; that takes default visibility.

#include <cstddef>

#include "interpose/malloc_family.h"
#include "interpose/tracked_malloc.h"

#define BURSAR_SHIM extern "C" [[gnu::visibility("default")]]

using namespace bursar::interpose;

BURSAR_SHIM void* malloc(std::size_t bytes) noexcept {
  return allocate(bytes);
}

BURSAR_SHIM void free(void* block) noexcept {
  deallocate(block);
}

BURSAR_SHIM void* calloc(std::size_t count, std::size_t bytes) noexcept {
  return allocate_zeroed(count, bytes);
}

BURSAR_SHIM void* realloc(void* block, std::size_t bytes) noexcept {
  return reallocate(block, bytes);
}

BURSAR_SHIM void* reallocarray(void* block, std::size_t count, std::size_t bytes) noexcept {
  return reallocate_array(block, count, bytes);
}

BURSAR_SHIM void* memalign(std::size_t alignment, std::size_t bytes) noexcept {
  return allocate_aligned(alignment, bytes);
}

BURSAR_SHIM void* aligned_alloc(std::size_t alignment, std::size_t bytes) noexcept {
  return allocate_aligned(alignment, bytes);
}

BURSAR_SHIM int posix_memalign(void** result, std::size_t alignment, std::size_t bytes) noexcept {
  return allocate_aligned_into(result, alignment, bytes);
}

BURSAR_SHIM void* valloc(std::size_t bytes) noexcept {
  return allocate_page_aligned(bytes);
}

BURSAR_SHIM void* pvalloc(std::size_t bytes) noexcept {
  return allocate_whole_pages(bytes);
}

BURSAR_SHIM std::size_t malloc_usable_size(void* block) noexcept {
  return usable_size(block);
}

// C23, for programs that a newer C library's headers have shown them to.
BURSAR_SHIM void free_sized(void* block, std::size_t /*bytes*/) noexcept {
  deallocate(block);
}
BURSAR_SHIM void free_aligned_sized(void* block, std::size_t /*alignment*/, std::size_t /*bytes*/) noexcept {
  deallocate(block);
}
