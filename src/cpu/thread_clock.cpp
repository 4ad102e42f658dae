#include <bursar/cpu/thread_clock.h>

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

}  // namespace bursar::cpu
