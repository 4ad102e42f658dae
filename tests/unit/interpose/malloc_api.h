#pragma once

#include <malloc.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include <bursar/alloc/transfer.h>

#include "unit/interpose/escape.h"
#include "unit/interpose/upstream.h"

namespace bursar::testing {

// The process's own malloc as the interface that is put to the torture.
struct MallocApi {
  static void* allocate(std::size_t bytes) { return escape(std::malloc(bytes)); }
  static void* allocate_zeroed(std::size_t count, std::size_t bytes) { return escape(std::calloc(count, bytes)); }
  static void* allocate_aligned(std::size_t alignment, std::size_t bytes) {
    void* block = nullptr;
    return posix_memalign(&block, alignment, bytes) == 0 ? block : nullptr;
  }
  static void* reallocate(void* block, std::size_t bytes) { return escape(std::realloc(block, bytes)); }
  static void release(void* block) { std::free(block); }
  static bool transfer(void* block, ResourceGroupToken token) { return bursar::transfer(block, token); }
  static std::size_t writable_bytes(void* block) { return malloc_usable_size(block); }
  static std::uint64_t books_bytes(void* block) { return testing::books_bytes(block); }
};

}  // namespace bursar::testing
