#include "unit/alloc/allocation_guard.h"

#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>

extern "C" {
void* __libc_malloc(std::size_t bytes) noexcept;
void* __libc_calloc(std::size_t count, std::size_t bytes) noexcept;
void* __libc_realloc(void* block, std::size_t bytes) noexcept;
void* __libc_memalign(std::size_t alignment, std::size_t bytes) noexcept;
void __libc_free(void* block) noexcept;
}

namespace {

constinit thread_local int armed = 0;

void check(const char* function) noexcept {
  if (armed == 0) return;
  armed = 0;
  const auto say = [](const char* text) {
    [[maybe_unused]] const auto written = write(STDERR_FILENO, text, std::strlen(text));
  };
  say("allocation guard: ");
  say(function);
  say(" was called where nothing may be allocated\n");
  std::abort();
}

}  // namespace

namespace bursar::testing {

AllocationGuard::AllocationGuard() noexcept {
  ++armed;
}
AllocationGuard::~AllocationGuard() {
  --armed;
}

}  // namespace bursar::testing

extern "C" {
[[gnu::visibility("default")]] void* malloc(std::size_t bytes) noexcept {
  check("malloc");
  return __libc_malloc(bytes);
}
[[gnu::visibility("default")]] void free(void* block) noexcept {
  if (block != nullptr) check("free");
  __libc_free(block);
}
[[gnu::visibility("default")]] void* calloc(std::size_t count, std::size_t bytes) noexcept {
  check("calloc");
  return __libc_calloc(count, bytes);
}
[[gnu::visibility("default")]] void* realloc(void* block, std::size_t bytes) noexcept {
  check("realloc");
  return __libc_realloc(block, bytes);
}
[[gnu::visibility("default")]] void* memalign(std::size_t alignment, std::size_t bytes) noexcept {
  check("memalign");
  return __libc_memalign(alignment, bytes);
}
[[gnu::visibility("default")]] void* aligned_alloc(std::size_t alignment, std::size_t bytes) noexcept {
  check("aligned_alloc");
  return __libc_memalign(alignment, bytes);
}
[[gnu::visibility("default")]] int posix_memalign(void** result, std::size_t alignment, std::size_t bytes) noexcept {
  check("posix_memalign");
  *result = __libc_memalign(alignment, bytes);
  return *result == nullptr ? ENOMEM : 0;
}
}

[[gnu::visibility("default")]] void* operator new(std::size_t bytes) {
  check("operator new");
  void* block = __libc_malloc(bytes);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}
[[gnu::visibility("default")]] void operator delete(void* block) noexcept {
  if (block != nullptr) check("operator delete");
  __libc_free(block);
}
[[gnu::visibility("default")]] void operator delete(void* block, std::size_t) noexcept {
  ::operator delete(block);
}
