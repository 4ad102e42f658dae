#include <bursar/cpu/thread_clock.h>

#include <time.h>

#include <algorithm>

namespace bursar::cpu {
namespace {

constexpr std::uint64_t kNanosPerSecond = 1'000'000'000;

std::optional<std::uint64_t> read_clock(clockid_t clock) noexcept {
  timespec time{};
  if (clock_gettime(clock, &time) != 0) return std::nullopt;
  return static_cast<std::uint64_t>(time.tv_sec) * kNanosPerSecond + static_cast<std::uint64_t>(time.tv_nsec);
}

// The kernel's number for "scheduler's CPU time of one thread": the complement of the thread's id above three bits, of
// which 4 says "one thread" and 2 "scheduler time". glibc's pthread_getcpuclockid makes the same number, but wants a
// pthread_t, which must not be used once its thread may have ended.
clockid_t clock_of(pid_t thread) noexcept {
  constexpr unsigned kPerThread = 4;
  constexpr unsigned kSchedulerTime = 2;
  return static_cast<clockid_t>((~static_cast<unsigned>(thread) << 3U) | kPerThread | kSchedulerTime);
}

}  // namespace

std::uint64_t thread_cpu_nanos() noexcept {
  return read_clock(CLOCK_THREAD_CPUTIME_ID).value_or(0);
}

std::optional<std::uint64_t> thread_cpu_nanos(pid_t thread) noexcept {
  return read_clock(clock_of(thread));
}

std::uint64_t process_cpu_nanos() noexcept {
  return read_clock(CLOCK_PROCESS_CPUTIME_ID).value_or(0);
}

std::uint64_t ThreadClock::running_nanos(std::uint64_t now_nanos) const noexcept {
  const std::uint64_t lapped = lapped_nanos_.load(std::memory_order_acquire);
  const std::uint64_t by_kernel = now_nanos > lapped ? now_nanos - lapped : 0;
  const std::uint64_t now = ticks();
  const std::uint64_t rate = internal::bursar_1_nanos_per_tick.load(std::memory_order_relaxed);
  if (rate == 0 || is_kernel_due(now)) return by_kernel;
  // The lap may still be cut by the counter, and that without what got lost between the laps since the kernel was
  // asked.
  const auto elapsed = static_cast<std::int64_t>(now - lap_start_ticks_.load(std::memory_order_acquire));
  if (elapsed <= 0) return 0;
  const std::uint64_t by_counter = (static_cast<std::uint64_t>(elapsed) * rate) >> 32U;
  // A little less, in case the rate is told better in between.
  return std::min(by_kernel, by_counter - by_counter / 1024);
}

std::uint64_t ThreadClock::lap_by_kernel() noexcept {
  const ClockKind kind = clock_choice().kind;
  const std::uint64_t before = lapped_nanos_.load(std::memory_order_relaxed);
  const std::uint64_t now = thread_cpu_nanos();
  has_flag_ = kind == ClockKind::Flag && RunFlag::exists();
  if (has_flag_) RunFlag::raise();
  std::uint64_t start = ticks();
  asked_at_ticks_.store(start, std::memory_order_release);
  fraction_ = 0;
  internal::refine_rate(start);
  const std::uint64_t rate = internal::bursar_1_nanos_per_tick.load(std::memory_order_relaxed);
  if (rate != 0) {
    constexpr std::uint64_t kAskAfterNanos = 1'000'000;
    constexpr std::uint64_t kLongestUnaskedNanos = 20'000;
    ask_after_ticks_.store((kAskAfterNanos << 32U) / rate, std::memory_order_release);
    longest_unasked_ticks_ = static_cast<std::int64_t>((kLongestUnaskedNanos << 32U) / rate);
    // More was lapped than the thread has used: the next laps begin as much later.
    if (now < before) start += ((before - now) << 32U) / rate;
  }
  lap_start_ticks_.store(start, std::memory_order_release);
  return now > before ? lapped(now - before) : 0;
}

}  // namespace bursar::cpu
