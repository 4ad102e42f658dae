#pragma once

#include <bursar/base/sanitizer.h>

#include <cstdint>

namespace bursar::groups {

// A counter with one writing thread and any number of readers. It only grows.
//
// The writer's addition is one instruction, so that a signal handler on the same thread, which may count too, can come
// before it or after it but never in the middle. It needs no bus lock, since no other thread writes.
//
// Thread-safety: as said. Allocates: no. Blocks: no. Cost: one addition to memory.
class Counter {
 public:
  // Release: pairs with the acquire in `load`. A reader that sees this addition sees everything its thread did before.
  void add(std::uint64_t amount) noexcept {
#if defined(__x86_64__) && !BURSAR_THREAD_SANITIZER
    // Stores are never reordered with older stores on x86-64; the clobber keeps the compiler from doing it.
    asm volatile("addq %1, %0" : "+m"(value_) : "er"(amount) : "memory", "cc");
#else
    __atomic_fetch_add(&value_, amount, __ATOMIC_RELEASE);
#endif
  }

  // As `add`, for a counter that several threads write.
  void add_shared(std::uint64_t amount) noexcept { __atomic_fetch_add(&value_, amount, __ATOMIC_RELEASE); }

  [[nodiscard]] std::uint64_t load() const noexcept { return __atomic_load_n(&value_, __ATOMIC_ACQUIRE); }

  // REQUIRES: no other thread reads or writes, as in a child just forked.
  void reset() noexcept { __atomic_store_n(&value_, 0, __ATOMIC_RELAXED); }

 private:
  std::uint64_t value_;  // has no initializer: whoever makes counters zeroes their memory
};

}  // namespace bursar::groups
