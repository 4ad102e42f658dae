// gperftools' tcmalloc under its own names. They are synonyms of the C library's and of the operators, so they come to
// the same tracked functions; what remains is `nallocx`, which says how large a block would be.
//
// These stand apart from the shims of malloc, in an object and a preload library of their own: a program that looks for
// `tc_malloc` to find out whether tcmalloc is there must not find ours. They are for programs that are linked with it.

#include <bursar/alloc/ownership.h>
#include <bursar/alloc/tracking_allocator.h>

#include <cstddef>
#include <new>

#include "alloc/next_upstream.h"
#include "interpose/allocate_or_throw.h"
#include "interpose/malloc_family.h"
#include "interpose/next_entry.h"
#include "interpose/tracked_malloc.h"

#define BURSAR_SHIM extern "C" [[gnu::visibility("default")]]

namespace {

using namespace bursar::interpose;

constinit NextEntry<void*(std::size_t, std::size_t)> next_memalign{"tc_memalign"};
constinit NextEntry<std::size_t(std::size_t, int)> next_nallocx{"nallocx"};

std::size_t bytes_of(std::align_val_t alignment) noexcept {
  return static_cast<std::size_t>(alignment);
}

void* allocate_new(std::size_t bytes) {
  return allocate_or_throw([=] { return allocate(bytes); });
}
void* allocate_new(std::size_t bytes, std::align_val_t alignment) {
  return allocate_or_throw([=] { return allocate_aligned(bytes_of(alignment), bytes); });
}

}  // namespace

BURSAR_SHIM void* tc_malloc(std::size_t bytes) noexcept {
  return allocate(bytes);
}
BURSAR_SHIM void* tc_malloc_skip_new_handler(std::size_t bytes) noexcept {
  return allocate(bytes);
}
BURSAR_SHIM void tc_free(void* block) noexcept {
  deallocate(block);
}
BURSAR_SHIM void tc_free_sized(void* block, std::size_t /*bytes*/) noexcept {
  deallocate(block);
}
BURSAR_SHIM void tc_cfree(void* block) noexcept {
  deallocate(block);
}
BURSAR_SHIM void* tc_realloc(void* block, std::size_t bytes) noexcept {
  return reallocate(block, bytes);
}
BURSAR_SHIM void* tc_calloc(std::size_t count, std::size_t bytes) noexcept {
  return allocate_zeroed(count, bytes);
}
BURSAR_SHIM void* tc_memalign(std::size_t alignment, std::size_t bytes) noexcept {
  if (bursar::alloc::inside_next_allocator && next_memalign.find() != nullptr) {
    return next_memalign.find()(alignment, bytes);
  }
  return allocate_aligned(alignment, bytes);
}
BURSAR_SHIM int tc_posix_memalign(void** result, std::size_t alignment, std::size_t bytes) noexcept {
  return allocate_aligned_into(result, alignment, bytes);
}
BURSAR_SHIM void* tc_valloc(std::size_t bytes) noexcept {
  return allocate_page_aligned(bytes);
}
BURSAR_SHIM void* tc_pvalloc(std::size_t bytes) noexcept {
  return allocate_whole_pages(bytes);
}
BURSAR_SHIM std::size_t tc_malloc_size(void* block) noexcept {
  return usable_size(block);
}

// Not `tc_nallocx`: that is what tcmalloc's own calloc and realloc ask.
BURSAR_SHIM std::size_t nallocx(std::size_t bytes, int flags) noexcept {
  if (next_nallocx.find() == nullptr) return 0;
  const auto upstream_bytes_for = [=](std::size_t request) { return next_nallocx.find()(request, flags); };
  return is_tracked(decided_mode()) ? decltype(next)::usable_size_for(bytes, upstream_bytes_for)
                                    : upstream_bytes_for(bytes);
}

BURSAR_SHIM void* tc_new(std::size_t bytes) {
  return allocate_new(bytes);
}
BURSAR_SHIM void* tc_newarray(std::size_t bytes) {
  return allocate_new(bytes);
}
BURSAR_SHIM void* tc_new_nothrow(std::size_t bytes, const std::nothrow_t& /*tag*/) noexcept {
  return null_if_it_throws([=] { return allocate_new(bytes); });
}
BURSAR_SHIM void* tc_newarray_nothrow(std::size_t bytes, const std::nothrow_t& /*tag*/) noexcept {
  return null_if_it_throws([=] { return allocate_new(bytes); });
}
BURSAR_SHIM void* tc_new_aligned(std::size_t bytes, std::align_val_t alignment) {
  return allocate_new(bytes, alignment);
}
BURSAR_SHIM void* tc_newarray_aligned(std::size_t bytes, std::align_val_t alignment) {
  return allocate_new(bytes, alignment);
}
BURSAR_SHIM void* tc_new_aligned_nothrow(std::size_t bytes, std::align_val_t alignment,
                                         const std::nothrow_t& /*tag*/) noexcept {
  return null_if_it_throws([=] { return allocate_new(bytes, alignment); });
}
BURSAR_SHIM void* tc_newarray_aligned_nothrow(std::size_t bytes, std::align_val_t alignment,
                                              const std::nothrow_t& /*tag*/) noexcept {
  return null_if_it_throws([=] { return allocate_new(bytes, alignment); });
}

BURSAR_SHIM void tc_delete(void* block) noexcept {
  deallocate(block);
}
BURSAR_SHIM void tc_deletearray(void* block) noexcept {
  deallocate(block);
}
BURSAR_SHIM void tc_delete_sized(void* block, std::size_t /*bytes*/) noexcept {
  deallocate(block);
}
BURSAR_SHIM void tc_deletearray_sized(void* block, std::size_t /*bytes*/) noexcept {
  deallocate(block);
}
BURSAR_SHIM void tc_delete_nothrow(void* block, const std::nothrow_t& /*tag*/) noexcept {
  deallocate(block);
}
BURSAR_SHIM void tc_deletearray_nothrow(void* block, const std::nothrow_t& /*tag*/) noexcept {
  deallocate(block);
}
BURSAR_SHIM void tc_delete_aligned(void* block, std::align_val_t /*alignment*/) noexcept {
  deallocate(block);
}
BURSAR_SHIM void tc_deletearray_aligned(void* block, std::align_val_t /*alignment*/) noexcept {
  deallocate(block);
}
BURSAR_SHIM void tc_delete_sized_aligned(void* block, std::size_t /*bytes*/, std::align_val_t /*alignment*/) noexcept {
  deallocate(block);
}
BURSAR_SHIM void tc_deletearray_sized_aligned(void* block, std::size_t /*bytes*/,
                                              std::align_val_t /*alignment*/) noexcept {
  deallocate(block);
}
BURSAR_SHIM void tc_delete_aligned_nothrow(void* block, std::align_val_t /*alignment*/,
                                           const std::nothrow_t& /*tag*/) noexcept {
  deallocate(block);
}
BURSAR_SHIM void tc_deletearray_aligned_nothrow(void* block, std::align_val_t /*alignment*/,
                                                const std::nothrow_t& /*tag*/) noexcept {
  deallocate(block);
}
