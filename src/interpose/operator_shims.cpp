// The two operators that the standard lets a program replace and on which its other forms rest. The array, nothrow and
// aligned forms stay the C++ library's: they call these two, or the C library's functions, and so are tracked as well.
// Weak: a program that replaces these itself has the last word.

#include <new>

#include "interpose/tracked_malloc.h"

#define BURSAR_OPERATOR_SHIM [[gnu::visibility("default"), gnu::weak]]

BURSAR_OPERATOR_SHIM void* operator new(std::size_t bytes) {
  for (;;) {
    if (void* block = bursar::interpose::allocate(bytes); block != nullptr) [[likely]] {
      return block;
    }
    const std::new_handler handler = std::get_new_handler();
    if (handler == nullptr) throw std::bad_alloc();
    handler();
  }
}

BURSAR_OPERATOR_SHIM void operator delete(void* block) noexcept {
  bursar::interpose::deallocate(block);
}

// Compilers warn of a program that replaces the plain form without this one.
BURSAR_OPERATOR_SHIM void operator delete(void* block, std::size_t /*bytes*/) noexcept {
  ::operator delete(block);
}
