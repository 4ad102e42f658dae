#pragma once

#include <bursar/cpu/thread_clock.h>

#include <cstdint>

namespace bursar::testing {

// Computes until the calling thread has used `nanos` of the CPU by the kernel's own clock, and answers how much it was.
inline std::uint64_t burn_cpu(std::uint64_t nanos) noexcept {
  const std::uint64_t begin = cpu::thread_cpu_nanos();
  volatile std::uint64_t sink = 1;
  for (;;) {
    for (int i = 0; i < 200; ++i) sink = sink * 6364136223846793005U + 1442695040888963407U;
    const std::uint64_t used = cpu::thread_cpu_nanos() - begin;
    if (used >= nanos) return used;
  }
}

inline constexpr std::uint64_t kMillisecond = 1'000'000;

}  // namespace bursar::testing
