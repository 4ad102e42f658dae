#include "unit/interpose/fake_upstream.h"

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#define BURSAR_FAKE extern "C" [[gnu::visibility("default")]]

extern "C" {
void* __libc_malloc(std::size_t bytes) noexcept;
void* __libc_calloc(std::size_t count, std::size_t bytes) noexcept;
void* __libc_realloc(void* block, std::size_t bytes) noexcept;
void* __libc_memalign(std::size_t alignment, std::size_t bytes) noexcept;
void __libc_free(void* block) noexcept;
}

namespace {

std::atomic<std::uint64_t> fails_at{0};
std::atomic<std::uint64_t> calls{0};
std::atomic<std::int64_t> live_blocks{0};

// Whoever counts stands before us, so this comes back in through the front door. Through pointers, since Clang takes the
// functions of one source for each other's.
void* (*volatile front_malloc)(std::size_t) = &std::malloc;
void (*volatile front_free)(void*) = &std::free;
void allocate_on_first_use(std::atomic<bool>& used) noexcept {
  if (used.exchange(true)) return;
  front_free(front_malloc(100));
}

bool fails_now() noexcept {
  if (calls.fetch_add(1) + 1 != fails_at) return false;
  errno = ENOMEM;
  return true;
}

void* counted(void* block) noexcept {
  if (block != nullptr) ++live_blocks;
  return block;
}

}  // namespace

BURSAR_FAKE void fake_upstream_fail_at(std::uint64_t call) noexcept {
  calls = 0;
  fails_at = call;
}
BURSAR_FAKE std::uint64_t fake_upstream_calls() noexcept {
  return calls;
}
BURSAR_FAKE std::int64_t fake_upstream_live_blocks() noexcept {
  return live_blocks;
}

BURSAR_FAKE void* malloc(std::size_t bytes) noexcept {
  static std::atomic<bool> used{false};
  allocate_on_first_use(used);
  return fails_now() ? nullptr : counted(__libc_malloc(bytes));
}
BURSAR_FAKE void* calloc(std::size_t count, std::size_t bytes) noexcept {
  static std::atomic<bool> used{false};
  allocate_on_first_use(used);
  return fails_now() ? nullptr : counted(__libc_calloc(count, bytes));
}
BURSAR_FAKE void* realloc(void* block, std::size_t bytes) noexcept {
  static std::atomic<bool> used{false};
  allocate_on_first_use(used);
  if (fails_now()) return nullptr;
  return block == nullptr ? counted(__libc_realloc(block, bytes)) : __libc_realloc(block, bytes);
}
BURSAR_FAKE int posix_memalign(void** result, std::size_t alignment, std::size_t bytes) noexcept {
  static std::atomic<bool> used{false};
  allocate_on_first_use(used);
  void* block = fails_now() ? nullptr : counted(__libc_memalign(alignment, bytes));
  if (block == nullptr) return ENOMEM;
  *result = block;
  return 0;
}
BURSAR_FAKE void free(void* block) noexcept {
  static std::atomic<bool> used{false};
  allocate_on_first_use(used);
  if (block != nullptr) --live_blocks;
  __libc_free(block);
}
BURSAR_FAKE std::size_t malloc_usable_size(void* block) noexcept {
  static std::atomic<bool> used{false};
  allocate_on_first_use(used);
  // glibc's own, which stands behind this one: where it keeps the size.
  std::size_t word = 0;
  std::memcpy(&word, static_cast<const std::byte*>(block) - sizeof(word), sizeof(word));
  return (word & ~std::size_t{7}) - ((word & 2) == 0 ? 8 : 16);
}
