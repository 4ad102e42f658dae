#pragma once

#include <bursar/limiter/memory_limiter_options.h>
#include <bursar/limiter/usage_gauge.h>
#include <bursar/limiter/wait_queue.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

namespace bursar::detail {

// Acts: has the gauge measure and the policy decide, publishes what came out, and lets callers wait by it. It has no
// thread: whoever owns it calls `poll`.
//
// Thread-safety: yes. Allocates: no, but for its construction. Blocks: `poll` for the sensors and for another `poll`.
class LimiterCore {
 public:
  LimiterCore(std::uint64_t limit_bytes, MemoryLimiterOptions options);

  // Measures, decides and publishes; hands over the coroutines whose wait is over. Returns in how long it wants to be
  // called again.
  std::chrono::nanoseconds poll() noexcept;

  // Counts a wait where there is pressure, and says how long it is to take. Measures anew first where the last look is
  // older than the fast interval: the thread may be late, for lack of a free core, just when it matters.
  [[nodiscard]] std::chrono::nanoseconds begin_wait() noexcept;

  [[nodiscard]] const std::atomic<std::int64_t>& backoff_nanos() const noexcept { return backoff_nanos_; }
  [[nodiscard]] LimiterState state() const noexcept { return state_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::optional<std::uint64_t> usage_bytes() const noexcept;
  [[nodiscard]] std::uint64_t limit_bytes() const noexcept { return limit_bytes_; }
  [[nodiscard]] LimiterMode mode() const noexcept { return mode_; }
  [[nodiscard]] std::uint64_t waits_total() const noexcept { return waits_total_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t failed_readings_total() const noexcept {
    return failed_readings_total_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] Clock& clock() const noexcept { return clock_; }
  [[nodiscard]] const std::shared_ptr<WaitQueue>& queue() const noexcept { return queue_; }

 private:
  void measure_and_publish() noexcept;
  [[nodiscard]] std::chrono::nanoseconds interval() const noexcept;

  // What is published. One variable each: a reader takes each for itself, and nothing else is read because of them, so
  // every access to them is relaxed.
  std::atomic<std::int64_t> backoff_nanos_{0};
  std::atomic<LimiterState> state_{LimiterState::Normal};
  std::atomic<bool> has_usage_{false};
  std::atomic<std::uint64_t> usage_bytes_{0};
  std::atomic<std::uint64_t> waits_total_{0};
  std::atomic<std::uint64_t> failed_readings_total_{0};
  std::atomic<Clock::TimePoint> measured_at_;

  const std::uint64_t limit_bytes_;
  const LimiterMode mode_;
  const double fast_from_;
  const std::chrono::nanoseconds fast_interval_;
  const std::chrono::nanoseconds slow_interval_;
  Clock& clock_;

  std::mutex measuring_;  // guards gauge_ and policy_
  UsageGauge gauge_;
  LimiterPolicy policy_;

  const std::shared_ptr<WaitQueue> queue_ = std::make_shared<WaitQueue>();
};

}  // namespace bursar::detail
