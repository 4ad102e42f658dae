#include "alloc/next_upstream.h"

#include <dlfcn.h>

#include <cerrno>
#include <cstdint>

namespace bursar::alloc {
namespace {

template <typename Function>
bool find(const char* name, Function*& function) noexcept {
  function = reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
  return function != nullptr;
}

// Whether two functions stand in the same shared library: a half-replaced malloc cannot be tracked.
template <typename First, typename Second>
bool are_of_one_library(First* first, Second* second) noexcept {
  Dl_info first_info{};
  Dl_info second_info{};
  return dladdr(reinterpret_cast<void*>(first), &first_info) != 0 &&
         dladdr(reinterpret_cast<void*>(second), &second_info) != 0 && first_info.dli_fbase == second_info.dli_fbase;
}

// By where it stands, not by `__libc_malloc`: mimalloc brings that name, too.
template <typename Function>
bool is_of_c_library(Function* function) noexcept {
  void* landmark = dlsym(RTLD_DEFAULT, "gnu_get_libc_version");
  return landmark != nullptr && are_of_one_library(function, reinterpret_cast<void (*)()>(landmark));
}

void warm_up() noexcept {
  const NextFunctions& next = next_functions;
  const InsideNextAllocator inside;
  void* block = next.allocate(1);
  if (block != nullptr) [[maybe_unused]]
    const std::size_t bytes = next.usable_size(block);
  if (void* moved = next.reallocate(block, 100); moved != nullptr) block = moved;
  next.release(block);
  next.release(next.allocate_zeroed(1, 1));
  void* aligned = nullptr;
  if (next.allocate_aligned(&aligned, 64, 1) == 0) next.release(aligned);
}

}  // namespace

constinit NextFunctions next_functions{};
constinit thread_local bool inside_next_allocator [[gnu::tls_model("initial-exec")]] = false;

NextAllocator find_next_allocator() noexcept {
  NextFunctions& next = next_functions;
  if (!find("malloc", next.allocate) || is_of_c_library(next.allocate)) return NextAllocator::Glibc;
  const bool complete = find("calloc", next.allocate_zeroed) && find("realloc", next.reallocate) &&
                        find("posix_memalign", next.allocate_aligned) && find("free", next.release) &&
                        find("malloc_usable_size", next.usable_size);
  if (!complete || !are_of_one_library(next.allocate, next.allocate_zeroed) ||
      !are_of_one_library(next.allocate, next.reallocate) ||
      !are_of_one_library(next.allocate, next.allocate_aligned) || !are_of_one_library(next.allocate, next.release) ||
      !are_of_one_library(next.allocate, next.usable_size)) {
    return NextAllocator::Unknown;
  }
  warm_up();
  return NextAllocator::Complete;
}

void* NextUpstream::allocate_aligned(std::size_t alignment, std::size_t bytes) noexcept {
  const InsideNextAllocator inside;
  const std::size_t boundary = alignment < sizeof(void*) ? sizeof(void*) : alignment;
  const auto allocate = [boundary](std::size_t wanted_bytes) {
    void* block = nullptr;
    const int error = next_functions.allocate_aligned(&block, boundary, wanted_bytes);
    if (error == 0) return block;
    errno = error;
    return static_cast<void*>(nullptr);
  };
  void* block = allocate(bytes);
  if (reinterpret_cast<std::uintptr_t>(block) % boundary == 0) [[likely]] {
    return block;
  }
  // mimalloc 2.0 takes blocks of powers of two for aligned to their size, which they are not always. A program that
  // asks for 252 bytes must not meet this because we ask for 256.
  next_functions.release(block);
  return allocate(bytes + 1);
}

}  // namespace bursar::alloc
