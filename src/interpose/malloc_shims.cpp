// The C library's allocation functions, under their own names. glibc's own callers, and those of every shared library,
// find these first; that takes default visibility.

#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstddef>

#include "interpose/tracked_malloc.h"

#define BURSAR_SHIM extern "C" [[gnu::visibility("default")]]

namespace {

using namespace bursar::interpose;

void* out_of_memory() noexcept {
  errno = ENOMEM;
  return nullptr;
}

std::size_t page_bytes() noexcept {
  return static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

BURSAR_SHIM void* malloc(std::size_t bytes) noexcept {
  return allocate(bytes);
}

BURSAR_SHIM void free(void* block) noexcept {
  deallocate(block);
}

BURSAR_SHIM void* calloc(std::size_t count, std::size_t bytes) noexcept {
  return with_allocator([=](auto&& allocator) { return allocator.allocate_zeroed(count, bytes); });
}

BURSAR_SHIM void* realloc(void* block, std::size_t bytes) noexcept {
  return reallocate(block, bytes);
}

BURSAR_SHIM void* reallocarray(void* block, std::size_t count, std::size_t bytes) noexcept {
  std::size_t total = 0;
  return __builtin_mul_overflow(count, bytes, &total) ? out_of_memory() : reallocate(block, total);
}

BURSAR_SHIM void* memalign(std::size_t alignment, std::size_t bytes) noexcept {
  return allocate_aligned(alignment, bytes);
}

BURSAR_SHIM void* aligned_alloc(std::size_t alignment, std::size_t bytes) noexcept {
  return allocate_aligned(alignment, bytes);
}

BURSAR_SHIM int posix_memalign(void** result, std::size_t alignment, std::size_t bytes) noexcept {
  if (alignment % sizeof(void*) != 0 || !std::has_single_bit(alignment)) return EINVAL;
  const int saved_errno = errno;
  void* block = allocate_aligned(alignment, bytes);
  errno = saved_errno;
  if (block == nullptr) return ENOMEM;
  *result = block;
  return 0;
}

BURSAR_SHIM void* valloc(std::size_t bytes) noexcept {
  return allocate_aligned(page_bytes(), bytes);
}

BURSAR_SHIM void* pvalloc(std::size_t bytes) noexcept {
  std::size_t rounded = 0;
  if (__builtin_add_overflow(bytes, page_bytes() - 1, &rounded)) return out_of_memory();
  return allocate_aligned(page_bytes(), rounded / page_bytes() * page_bytes());
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
