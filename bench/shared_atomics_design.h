#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "shared_atomics_tracker.h"

namespace bursar::bench {

// The common design.
struct Design {
  using Group = SharedGroup&;
  using Guard = SharedAtomicsTracker::Guard;

  [[nodiscard]] static SharedGroup& group(const std::string& name) {
    const std::lock_guard lock(mutex);
    return groups[name];
  }

  [[nodiscard]] static void* allocate(std::size_t bytes) noexcept { return SharedAtomicsTracker::allocate(bytes); }
  static void release(void* block, std::size_t bytes) noexcept { SharedAtomicsTracker::release(block, bytes); }
  [[nodiscard]] static void* allocate_zeroed(std::size_t bytes) noexcept {
    return SharedAtomicsTracker::allocate_zeroed(bytes);
  }
  [[nodiscard]] static void* reallocate(void* block, std::size_t old_bytes, std::size_t bytes) noexcept {
    return SharedAtomicsTracker::reallocate(block, old_bytes, bytes);
  }

  [[nodiscard]] static std::uint64_t snapshot() {
    const std::lock_guard lock(mutex);
    std::uint64_t live_bytes = 0;
    for (const auto& [name, group] : groups) {
      live_bytes += group.allocated_bytes.load(std::memory_order_relaxed);
      live_bytes -= group.deallocated_bytes.load(std::memory_order_relaxed);
    }
    return live_bytes;
  }

  inline static std::mutex mutex;
  inline static std::map<std::string, SharedGroup> groups;
};

}  // namespace bursar::bench
