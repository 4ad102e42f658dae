#pragma once

#include <atomic>
#include <type_traits>

namespace bursar {

// std::atomic without a constructor: memory full of zeros, from the kernel or in the program's image, holds valid
// objects of it. For large static arrays, which compilers would otherwise construct element by element.
//
// Thread-safety: any thread. Allocates: no. Blocks: no.
template <typename T>
class ZeroedAtomic {
  static_assert(std::is_trivial_v<T> && std::atomic_ref<T>::is_always_lock_free);

 public:
  [[nodiscard]] T load(std::memory_order order) const noexcept { return reference().load(order); }
  void store(T value, std::memory_order order) noexcept { reference().store(value, order); }
  T exchange(T value, std::memory_order order) noexcept { return reference().exchange(value, order); }
  T fetch_add(T amount, std::memory_order order) noexcept { return reference().fetch_add(amount, order); }
  T fetch_sub(T amount, std::memory_order order) noexcept { return reference().fetch_sub(amount, order); }
  bool compare_exchange_weak(T& expected, T value, std::memory_order order) noexcept {
    return reference().compare_exchange_weak(expected, value, order);
  }

 private:
  [[nodiscard]] std::atomic_ref<T> reference() const noexcept { return std::atomic_ref<T>(value_); }

  alignas(std::atomic_ref<T>::required_alignment) mutable T value_;
};

}  // namespace bursar
