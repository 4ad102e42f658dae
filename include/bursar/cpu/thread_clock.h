#pragma once

#include <bursar/cpu/clock_choice.h>
#include <bursar/cpu/run_flag.h>
#include <bursar/cpu/tick_counter.h>

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <optional>

namespace bursar::cpu {

// CPU time in nanoseconds by the kernel's clocks. Each is a system call of 175 to 300 ns.
// Thread-safety: any thread. Allocates: no. Blocks: no.
[[nodiscard]] std::uint64_t thread_cpu_nanos() noexcept;                             // of the calling thread
[[nodiscard]] std::optional<std::uint64_t> thread_cpu_nanos(pid_t thread) noexcept;  // of a thread of this process
[[nodiscard]] std::uint64_t process_cpu_nanos() noexcept;                            // of all threads that ever were

// Cuts one thread's CPU time into laps: whoever attributes time asks for the time since the last cut. The laps add up
// to the kernel's clock of the thread, whichever way they are measured: what the processor's counter said too much or
// too little since the kernel was last asked is made up for when it is asked again, after a millisecond of short laps
// at the latest.
//
// Thread-safety: `lap` and the reset belong to the thread whose time it is.
// Allocates: no. Blocks: no. Cost: about 10 ns, or a system call where the kernel has to be asked.
class ThreadClock {
 public:
  // The CPU time since the last lap, or since the reset.
  [[nodiscard]] std::uint64_t lap() noexcept {
    const std::uint64_t now = ticks();
    const std::uint64_t rate = internal::bursar_1_nanos_per_tick.load(std::memory_order_relaxed);
    const std::uint64_t start = lap_start_ticks_.load(std::memory_order_relaxed);
    // The flag is looked at after the counter: a break in between is seen, and the lap is the kernel's.
    if (rate == 0 || is_kernel_due(now) || !ran_without_break(now - start)) return lap_by_kernel();
    const auto elapsed = static_cast<std::int64_t>(now - start);
    if (elapsed <= 0) return 0;  // too much was lapped before
    const std::uint64_t scaled = static_cast<std::uint64_t>(elapsed) * rate + fraction_;
    lap_start_ticks_.store(now, std::memory_order_release);
    fraction_ = static_cast<std::uint32_t>(scaled);
    return lapped(scaled >> 32U);
  }

  // Any thread: the sum of all laps since the reset.
  [[nodiscard]] std::uint64_t lapped_nanos() const noexcept { return lapped_nanos_.load(std::memory_order_acquire); }

  // Any thread: what the running lap comes to at the least, however it will be measured, when the kernel's clock of its
  // thread says `now_nanos`. Never more than the lap, once it is cut.
  [[nodiscard]] std::uint64_t running_nanos(std::uint64_t now_nanos) const noexcept;

  // The running lap began with the thread itself.
  void reset_to_thread_start() noexcept {
    lapped_nanos_.store(0, std::memory_order_release);
    ask_after_ticks_.store(0, std::memory_order_release);
  }

 private:
  [[nodiscard]] bool is_kernel_due(std::uint64_t now) const noexcept {
    return now - asked_at_ticks_.load(std::memory_order_relaxed) > ask_after_ticks_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] bool ran_without_break(std::uint64_t elapsed_ticks) const noexcept {
    return has_flag_ ? RunFlag::is_up() : static_cast<std::int64_t>(elapsed_ticks) < longest_unasked_ticks_;
  }
  std::uint64_t lapped(std::uint64_t nanos) noexcept {
    lapped_nanos_.store(lapped_nanos_.load(std::memory_order_relaxed) + nanos, std::memory_order_release);
    return nanos;
  }
  [[gnu::noinline]] std::uint64_t lap_by_kernel() noexcept;

  std::atomic<std::uint64_t> lapped_nanos_{0};
  std::atomic<std::uint64_t> lap_start_ticks_{0};
  std::atomic<std::uint64_t> asked_at_ticks_{0};
  std::atomic<std::uint64_t> ask_after_ticks_{0};  // the kernel is asked again when this much has passed since
  std::int64_t longest_unasked_ticks_ = 0;         // without a flag: a longer lap may well have had a break
  std::uint32_t fraction_ = 0;                     // of a nanosecond, in units of 2^-32, not lapped yet
  bool has_flag_ = false;
};

}  // namespace bursar::cpu
