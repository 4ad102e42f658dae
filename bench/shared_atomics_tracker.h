#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

// The common design, written for comparison: the owner's pointer stands in an 8-byte trailer behind what the program
// asked for, and every allocation and release adds to two of four counters that all threads of a group share. A release
// has to be told the size of its block, since nothing else tells where the trailer is.
namespace bursar::bench {

// The counters of one group, side by side as such trackers have them.
struct SharedGroup {
  std::atomic<std::uint64_t> allocated_bytes{0};
  std::atomic<std::uint64_t> allocated_objects{0};
  std::atomic<std::uint64_t> deallocated_bytes{0};
  std::atomic<std::uint64_t> deallocated_objects{0};
  std::atomic<std::uint64_t> cpu_nanos{0};
};

// Thread-safety: all functions may be called from any thread. Allocates: from malloc. Blocks: as malloc.
class SharedAtomicsTracker {
 public:
  // Null where there is no memory. Bytes are those that were asked for, rounded up to 8, and the trailer's.
  [[nodiscard]] static void* allocate(std::size_t bytes) noexcept;
  static void release(void* block, std::size_t bytes) noexcept;

  // What a tracker does that forwards neither calloc nor realloc: it clears every byte, and copies every block that
  // grows.
  [[nodiscard]] static void* allocate_zeroed(std::size_t bytes) noexcept;
  [[nodiscard]] static void* reallocate(void* block, std::size_t old_bytes, std::size_t new_bytes) noexcept;

  // While it lives the thread charges `group`; the CPU time from beginning to end is added at the end.
  class [[nodiscard]] Guard {
   public:
    [[nodiscard]] explicit Guard(SharedGroup& group) noexcept;
    ~Guard();
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

   private:
    SharedGroup* group_;
    SharedGroup* previous_;
    std::uint64_t begin_nanos_;
  };
};

}  // namespace bursar::bench
