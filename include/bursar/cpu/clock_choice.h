#pragma once

#include <bursar/base/process_wide.h>

#include <atomic>
#include <cstdint>
#include <optional>
#include <string_view>

namespace bursar::cpu {

// How the threads' CPU time is measured.
enum class ClockKind : std::uint8_t {
  Undecided,
  Flag,  // the processor's counter, where the RunFlag vouches that the thread has run without a break; else the kernel
  Fit,   // the processor's counter for short stretches, fitted to the kernel's clock once a millisecond
  Kernel,  // the kernel's clock, at every change
};

struct ClockChoice {
  ClockKind kind = ClockKind::Undecided;
  std::string_view reason;  // static text
};

[[nodiscard]] std::string_view name_of(ClockKind kind) noexcept;
[[nodiscard]] std::optional<ClockKind> clock_kind_from(std::string_view name) noexcept;

// The clock of this process and why: decided at the first change of group, by trying out what the machine can do,
// unless BURSAR_CPU_CLOCK names one (`flag`, `fit` or `kernel`; `auto` is the default). One that the machine does not
// have cannot be had by naming it.
//
// Thread-safety: any thread. Allocates: no. Blocks: for 60 us at the first call.
[[nodiscard]] ClockChoice clock_choice() noexcept;

// Changes it, for tests. False where the machine does not have it.
bool force_clock(ClockKind kind) noexcept;

namespace internal {
// Nanoseconds per tick, times 2^32; 0 while the kernel is asked at every change, because that is the choice or because
// the counter's rate is not known yet.
extern "C" {
BURSAR_PROCESS_WIDE std::atomic<std::uint64_t> bursar_1_nanos_per_tick{0};
BURSAR_PROCESS_WIDE std::atomic<ClockKind> bursar_1_clock_kind{ClockKind::Undecided};
}
// Looks whether the rate can be told by now, or better than before. Called whenever the kernel has been asked anyway.
void refine_rate(std::uint64_t now_ticks) noexcept;
}  // namespace internal

}  // namespace bursar::cpu
