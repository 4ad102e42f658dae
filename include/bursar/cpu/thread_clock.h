#pragma once

#include <sys/types.h>
#include <time.h>

#include <atomic>
#include <cstdint>
#include <optional>

namespace bursar::cpu {

// CPU time in nanoseconds by the kernel's clocks. Each is a system call of 175 to 300 ns.
// Thread-safety: any thread. Allocates: no. Blocks: no.
[[nodiscard]] std::uint64_t thread_cpu_nanos() noexcept;                             // of the calling thread
[[nodiscard]] std::optional<std::uint64_t> thread_cpu_nanos(pid_t thread) noexcept;  // of a thread of this process
[[nodiscard]] std::uint64_t process_cpu_nanos() noexcept;                            // of all threads that ever were

// Cuts one thread's CPU time into laps. This is the seam behind which a cheaper clock can stand: whoever attributes
// time only ever asks for the time since the last cut.
//
// Thread-safety: `lap` and the resets belong to the thread whose time it is; `mark_nanos` may be read by any.
// Allocates: no. Blocks: no.
class ThreadClock {
 public:
  // The CPU time since the last lap, or since the reset.
  [[nodiscard]] std::uint64_t lap() noexcept {
    const std::uint64_t now = thread_cpu_nanos();
    const std::uint64_t mark = mark_nanos_.load(std::memory_order_relaxed);
    mark_nanos_.store(now, std::memory_order_release);
    return now - mark;
  }

  // Where the running lap began, in the thread's own CPU time.
  [[nodiscard]] std::uint64_t mark_nanos() const noexcept { return mark_nanos_.load(std::memory_order_acquire); }

  // The running lap began with the thread itself.
  void reset_to_thread_start() noexcept { mark_nanos_.store(0, std::memory_order_release); }

 private:
  std::atomic<std::uint64_t> mark_nanos_{0};
};

}  // namespace bursar::cpu
