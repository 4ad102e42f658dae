#pragma once

#include <cstddef>
#include <cstdint>

// Declared here, weak, so that a program still starts over a C library before glibc 2.35, which has none of it.
extern "C" {
[[gnu::weak]] extern const std::ptrdiff_t __rseq_offset;
[[gnu::weak]] extern const unsigned int __rseq_size;
}

namespace bursar::cpu {

namespace internal {
// A restartable sequence without any code in it.
extern "C" [[gnu::visibility("hidden")]] const std::uint64_t bursar_empty_sequence[4];
}  // namespace internal

// Tells whether the calling thread has run without a break since the flag was raised.
//
// glibc registers a restartable-sequences area for each thread. When the kernel returns to a thread that was
// descheduled, migrated or given a signal, it looks at the area's `rseq_cs`, and clears it where the thread was outside
// of the sequence that it points to. Ours has no code, so the thread always is outside: the kernel clears the pointer
// and nothing else happens. Another user of the area only overwrites the pointer, which reads as a break, too. (Linux:
// kernel/rseq.c, include/uapi/linux/rseq.h; glibc: manual, "Restartable Sequences".)
//
// Thread-safety: each thread has its own flag. Allocates: no. Blocks: no. Cost: a load or a store.
class RunFlag {
 public:
  // Whether the calling thread has an area that the kernel knows.
  [[nodiscard]] static bool exists() noexcept {
    return &__rseq_offset != nullptr && &__rseq_size != nullptr && __rseq_size != 0 && area()->cpu_id >= 0;
  }
  // REQUIRES for the following: exists().
  static void raise() noexcept {
    area()->rseq_cs = reinterpret_cast<std::uintptr_t>(&internal::bursar_empty_sequence[0]);
  }
  [[nodiscard]] static bool is_up() noexcept {
    return area()->rseq_cs == reinterpret_cast<std::uintptr_t>(&internal::bursar_empty_sequence[0]);
  }
  static void lower() noexcept { area()->rseq_cs = 0; }

 private:
  // The first fields of `struct rseq`.
  struct Area {
    volatile std::uint32_t cpu_id_start;
    volatile std::int32_t cpu_id;  // negative where the kernel was not told, or refused
    volatile std::uint64_t rseq_cs;
  };
  [[nodiscard]] static Area* area() noexcept {
    return reinterpret_cast<Area*>(static_cast<char*>(__builtin_thread_pointer()) + __rseq_offset);
  }
};

// Whether this kernel lowers the flag even of a thread that goes to sleep by itself: tried out, by a sleep of a
// nanosecond. Cost: about 60 us.
[[nodiscard]] bool run_flag_is_lowered_by_sleep() noexcept;

}  // namespace bursar::cpu
