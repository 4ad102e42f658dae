#include <bursar/cpu/clock_choice.h>
#include <bursar/cpu/run_flag.h>
#include <bursar/cpu/tick_counter.h>

#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace bursar::cpu {
namespace {

constexpr std::uint64_t kNanosPerSecond = 1'000'000'000;
// The rate is told from this much time on, and again whenever twice the time has passed, up to the last.
constexpr std::uint64_t kFirstRateNanos = 5'000'000;
constexpr std::uint64_t kLastRateNanos = 20 * kNanosPerSecond;
// A look at both clocks that took longer was interrupted.
constexpr std::uint64_t kLongestLookNanos = 1'000;

__extension__ using Wide = unsigned __int128;

}  // namespace

// The moment that the rate is counted from.
struct Anchor {
  std::atomic<std::uint64_t> ticks{0};
  std::atomic<std::uint64_t> nanos{0};
  std::atomic<std::uint64_t> next_nanos{0};  // since the anchor; the greatest value while nobody may refine
};

extern "C" {
BURSAR_PROCESS_WIDE std::atomic<const char*> bursar_1_clock_reason{nullptr};
BURSAR_PROCESS_WIDE Anchor bursar_1_clock_anchor{};
}

namespace {

std::uint64_t monotonic_nanos() noexcept {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC_RAW, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * kNanosPerSecond + static_cast<std::uint64_t>(time.tv_nsec);
}

void drop_anchor() noexcept {
  internal::bursar_1_nanos_per_tick.store(0, std::memory_order_relaxed);
  bursar_1_clock_anchor.ticks.store(ticks(), std::memory_order_relaxed);
  bursar_1_clock_anchor.nanos.store(monotonic_nanos(), std::memory_order_relaxed);
  bursar_1_clock_anchor.next_nanos.store(kFirstRateNanos, std::memory_order_release);
}

struct Wish {
  ClockKind kind = ClockKind::Undecided;
  const char* reason = nullptr;
};

Wish wish_from_environment() noexcept {
  const char* setting = std::getenv("BURSAR_CPU_CLOCK");
  if (setting == nullptr || std::string_view(setting) == "auto") return {};
  const std::optional<ClockKind> kind = clock_kind_from(setting);
  if (kind.has_value()) return {*kind, "BURSAR_CPU_CLOCK names it"};
  constexpr std::string_view kWarning =
      "bursar: BURSAR_CPU_CLOCK is none of `auto`, `flag`, `fit` and `kernel`; it is taken for `auto`\n";
  [[maybe_unused]] const auto written = write(STDERR_FILENO, kWarning.data(), kWarning.size());
  return {};
}

Wish decide() noexcept {
  const Wish wish = wish_from_environment();
  if (wish.kind == ClockKind::Kernel) return wish;
  if (!ticks_are_usable()) return {ClockKind::Kernel, "the processor's counter does not run at one rate"};
  if (wish.kind == ClockKind::Fit) return wish;
  if (!RunFlag::exists()) {
    return {ClockKind::Fit, "the C library has registered no restartable-sequences area"};
  }
  if (!run_flag_is_lowered_by_sleep()) {
    return {ClockKind::Fit, "this kernel does not clear the restartable sequence of a thread that sleeps"};
  }
  if (wish.kind == ClockKind::Flag) return wish;
  return {ClockKind::Flag, "the processor's counter runs at one rate, and the kernel tells of every break"};
}

void choose(const Wish& wish) noexcept {
  bursar_1_clock_reason.store(wish.reason, std::memory_order_relaxed);
  if (wish.kind == ClockKind::Kernel) {
    bursar_1_clock_anchor.next_nanos.store(~std::uint64_t{0}, std::memory_order_relaxed);
    internal::bursar_1_nanos_per_tick.store(0, std::memory_order_relaxed);
  } else {
    drop_anchor();
  }
  internal::bursar_1_clock_kind.store(wish.kind, std::memory_order_release);
}

}  // namespace

namespace internal {

void refine_rate(std::uint64_t now_ticks) noexcept {
  const ClockKind kind = bursar_1_clock_kind.load(std::memory_order_acquire);
  if (kind == ClockKind::Kernel || kind == ClockKind::Undecided) return;
  std::uint64_t due = bursar_1_clock_anchor.next_nanos.load(std::memory_order_acquire);
  const std::uint64_t since_ticks = now_ticks - bursar_1_clock_anchor.ticks.load(std::memory_order_relaxed);
  // No counter is faster than 8 GHz: a cheap look whether it can be time.
  if (due == ~std::uint64_t{0} || since_ticks < due / 8) return;
  const std::uint64_t nanos = monotonic_nanos();
  const std::uint64_t after_ticks = ticks();
  const std::uint64_t since_nanos = nanos - bursar_1_clock_anchor.nanos.load(std::memory_order_relaxed);
  if (since_nanos < due) return;
  const auto rate = static_cast<std::uint64_t>((static_cast<Wide>(since_nanos) << 32U) / since_ticks);
  if (((after_ticks - now_ticks) * rate) >> 32U > kLongestLookNanos) return;
  const std::uint64_t next = since_nanos >= kLastRateNanos ? ~std::uint64_t{0} : since_nanos * 2;
  if (bursar_1_clock_anchor.next_nanos.compare_exchange_strong(due, next, std::memory_order_acq_rel)) {
    bursar_1_nanos_per_tick.store(rate, std::memory_order_relaxed);
  }
}

}  // namespace internal

std::string_view name_of(ClockKind kind) noexcept {
  switch (kind) {
    case ClockKind::Flag:
      return "flag";
    case ClockKind::Fit:
      return "fit";
    case ClockKind::Kernel:
      return "kernel";
    case ClockKind::Undecided:
      break;
  }
  return "undecided";
}

std::optional<ClockKind> clock_kind_from(std::string_view name) noexcept {
  for (const ClockKind kind : {ClockKind::Flag, ClockKind::Fit, ClockKind::Kernel}) {
    if (name == name_of(kind)) return kind;
  }
  return std::nullopt;
}

ClockChoice clock_choice() noexcept {
  if (internal::bursar_1_clock_kind.load(std::memory_order_acquire) == ClockKind::Undecided) {
    // Two threads may both try it out; they come to the same result.
    const int saved_errno = errno;
    choose(decide());
    errno = saved_errno;
  }
  return {internal::bursar_1_clock_kind.load(std::memory_order_acquire),
          bursar_1_clock_reason.load(std::memory_order_relaxed)};
}

bool force_clock(ClockKind kind) noexcept {
  const bool has_ticks = ticks_are_usable();
  const bool possible = kind == ClockKind::Kernel || (kind == ClockKind::Fit && has_ticks) ||
                        (kind == ClockKind::Flag && has_ticks && run_flag_is_lowered_by_sleep());
  if (possible) choose({kind, "forced by the program"});
  return possible;
}

}  // namespace bursar::cpu
