#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <thread>

namespace bursar::bench {

// Blocks on their way from one thread to one other, in order; who comes too early spins.
//
// Thread-safety: one thread puts, one takes. Allocates: no. Blocks: spins while it is full, or empty.
class Handover {
 public:
  void put(void* block) noexcept {
    std::atomic<void*>& slot = slots_[put_++ % kSlots];
    for (unsigned spins = 0; slot.load(std::memory_order_relaxed) != nullptr;) relax(spins);
    slot.store(block, std::memory_order_release);  // pairs with the acquire in take()
  }

  [[nodiscard]] void* take() noexcept {
    std::atomic<void*>& slot = slots_[taken_++ % kSlots];
    void* block = nullptr;
    for (unsigned spins = 0; (block = slot.load(std::memory_order_acquire)) == nullptr;) relax(spins);
    slot.store(nullptr, std::memory_order_relaxed);
    return block;
  }

 private:
  static constexpr std::size_t kSlots = 256;

  static void relax(unsigned& spins) noexcept {
    if (++spins % 1024 == 0) std::this_thread::yield();
  }

  std::array<std::atomic<void*>, kSlots> slots_{};
  alignas(64) std::size_t put_ = 0;
  alignas(64) std::size_t taken_ = 0;
};

}  // namespace bursar::bench
