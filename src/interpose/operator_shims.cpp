// Every form of operator new and delete. Some allocators' libraries bring all of them, so the forms cannot be left to
// the C++ library. Those that the standard defines by another one call it, so that a program that replaces only some
// gets what the standard promises: with its own `operator new(size_t)`, `new[]` comes from there, and `delete[]` goes
// there.
// ([new.delete.single], [new.delete.array].)
// Weak: a program that replaces one itself has the last word.

#include <new>

#include "interpose/allocate_or_throw.h"
#include "interpose/tracked_malloc.h"

#define BURSAR_OPERATOR_SHIM [[gnu::visibility("default"), gnu::weak]]

using bursar::interpose::allocate_or_throw;
using bursar::interpose::null_if_it_throws;

BURSAR_OPERATOR_SHIM void* operator new(std::size_t bytes) {
  if (void* block = bursar::interpose::allocate(bytes); block != nullptr) [[likely]] {
    return block;
  }
  return allocate_or_throw([=] { return bursar::interpose::allocate(bytes); });
}
BURSAR_OPERATOR_SHIM void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return allocate_or_throw(
      [=] { return bursar::interpose::allocate_aligned(static_cast<std::size_t>(alignment), bytes); });
}
BURSAR_OPERATOR_SHIM void* operator new(std::size_t bytes, const std::nothrow_t& /*tag*/) noexcept {
  return null_if_it_throws([=] { return ::operator new(bytes); });
}
BURSAR_OPERATOR_SHIM void* operator new(std::size_t bytes, std::align_val_t alignment,
                                        const std::nothrow_t& /*tag*/) noexcept {
  return null_if_it_throws([=] { return ::operator new(bytes, alignment); });
}

BURSAR_OPERATOR_SHIM void* operator new[](std::size_t bytes) {
  return ::operator new(bytes);
}
BURSAR_OPERATOR_SHIM void* operator new[](std::size_t bytes, std::align_val_t alignment) {
  return ::operator new(bytes, alignment);
}
BURSAR_OPERATOR_SHIM void* operator new[](std::size_t bytes, const std::nothrow_t& /*tag*/) noexcept {
  return null_if_it_throws([=] { return ::operator new[](bytes); });
}
BURSAR_OPERATOR_SHIM void* operator new[](std::size_t bytes, std::align_val_t alignment,
                                          const std::nothrow_t& /*tag*/) noexcept {
  return null_if_it_throws([=] { return ::operator new[](bytes, alignment); });
}

BURSAR_OPERATOR_SHIM void operator delete(void* block) noexcept {
  bursar::interpose::deallocate(block);
}
BURSAR_OPERATOR_SHIM void operator delete(void* block, std::align_val_t /*alignment*/) noexcept {
  bursar::interpose::deallocate(block);
}
BURSAR_OPERATOR_SHIM void operator delete(void* block, std::size_t /*bytes*/) noexcept {
  ::operator delete(block);
}
BURSAR_OPERATOR_SHIM void operator delete(void* block, std::size_t /*bytes*/, std::align_val_t alignment) noexcept {
  ::operator delete(block, alignment);
}
BURSAR_OPERATOR_SHIM void operator delete(void* block, const std::nothrow_t& /*tag*/) noexcept {
  ::operator delete(block);
}
BURSAR_OPERATOR_SHIM void operator delete(void* block, std::align_val_t alignment,
                                          const std::nothrow_t& /*tag*/) noexcept {
  ::operator delete(block, alignment);
}

BURSAR_OPERATOR_SHIM void operator delete[](void* block) noexcept {
  ::operator delete(block);
}
BURSAR_OPERATOR_SHIM void operator delete[](void* block, std::align_val_t alignment) noexcept {
  ::operator delete(block, alignment);
}
BURSAR_OPERATOR_SHIM void operator delete[](void* block, std::size_t /*bytes*/) noexcept {
  ::operator delete[](block);
}
BURSAR_OPERATOR_SHIM void operator delete[](void* block, std::size_t /*bytes*/, std::align_val_t alignment) noexcept {
  ::operator delete[](block, alignment);
}
BURSAR_OPERATOR_SHIM void operator delete[](void* block, const std::nothrow_t& /*tag*/) noexcept {
  ::operator delete[](block);
}
BURSAR_OPERATOR_SHIM void operator delete[](void* block, std::align_val_t alignment,
                                            const std::nothrow_t& /*tag*/) noexcept {
  ::operator delete[](block, alignment);
}
