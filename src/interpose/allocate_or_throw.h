#pragma once

#include <new>

namespace bursar::interpose {

// As operator new: calls the new-handler until `allocate` succeeds or there is none.
template <typename Allocate>
void* allocate_or_throw(Allocate allocate) {
  for (;;) {
    if (void* block = allocate(); block != nullptr) [[likely]] {
      return block;
    }
    const std::new_handler handler = std::get_new_handler();
    if (handler == nullptr) throw std::bad_alloc();
    handler();
  }
}

template <typename Allocate>
void* null_if_it_throws(Allocate allocate) noexcept {
  try {
    return allocate();
  } catch (...) {
    return nullptr;
  }
}

}  // namespace bursar::interpose
