#pragma once

#include <time.h>

#include <cstdint>

namespace bursar::bench {

// The calling thread's CPU time, by the kernel's clock.
[[nodiscard]] inline std::uint64_t thread_cpu_nanos() noexcept {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace bursar::bench
