#include "limiter/limiter_core.h"

#include <bursar/limiter/capacity_awaiter.h>

#include <algorithm>
#include <utility>

namespace bursar::detail {

LimiterCore::LimiterCore(std::uint64_t limit_bytes, MemoryLimiterOptions options)
    : measured_at_(options.clock.get().now()),
      limit_bytes_(limit_bytes),
      mode_(options.mode),
      fast_from_(options.fast_from),
      fast_interval_(options.fast_interval),
      slow_interval_(options.slow_interval),
      clock_(options.clock),
      gauge_(std::move(options.usage_sensors), options.tolerated_failures),
      policy_(std::move(options.policy)) {}

std::chrono::nanoseconds LimiterCore::poll() noexcept {
  {
    const std::lock_guard lock(measuring_);
    measure_and_publish();
  }
  queue_->hand_over_due(clock_.now());
  return interval();
}

std::chrono::nanoseconds LimiterCore::begin_wait() noexcept {
  if (backoff_nanos_.load(std::memory_order_relaxed) == 0) return {};
  if (clock_.now() - measured_at_.load(std::memory_order_relaxed) > fast_interval_) {
    // Somebody else who measures just now does as well.
    const std::unique_lock lock(measuring_, std::try_to_lock);
    if (lock) measure_and_publish();
  }
  const std::chrono::nanoseconds backoff(backoff_nanos_.load(std::memory_order_relaxed));
  if (backoff == backoff.zero()) return {};
  waits_total_.fetch_add(1, std::memory_order_relaxed);
  return mode_ == LimiterMode::On ? backoff : backoff.zero();
}

std::optional<std::uint64_t> LimiterCore::usage_bytes() const noexcept {
  if (!has_usage_.load(std::memory_order_relaxed)) return std::nullopt;
  return usage_bytes_.load(std::memory_order_relaxed);
}

void LimiterCore::measure_and_publish() noexcept {
  measured_at_.store(clock_.now(), std::memory_order_relaxed);
  const std::optional<std::uint64_t> usage = gauge_.sense();
  // Without a figure nobody is slowed down.
  LimiterDecision decision;
  if (usage) decision = policy_({.usage_bytes = *usage, .limit_bytes = limit_bytes_});

  has_usage_.store(usage.has_value(), std::memory_order_relaxed);
  usage_bytes_.store(usage.value_or(0), std::memory_order_relaxed);
  failed_readings_total_.store(gauge_.failed_readings(), std::memory_order_relaxed);
  state_.store(decision.state, std::memory_order_relaxed);
  backoff_nanos_.store(std::max<std::int64_t>(decision.backoff.count(), 0), std::memory_order_relaxed);
}

std::chrono::nanoseconds LimiterCore::interval() const noexcept {
  const std::optional<std::uint64_t> usage = usage_bytes();
  const bool nearly_full = usage && static_cast<double>(*usage) >= fast_from_ * static_cast<double>(limit_bytes_);
  // Coroutines are served by the same beat, so it is fast while there are any.
  const bool waited_for = backoff_nanos_.load(std::memory_order_relaxed) != 0 || !queue_->empty();
  return nearly_full || waited_for ? fast_interval_ : slow_interval_;
}

std::chrono::nanoseconds begin_wait(LimiterCore& core) noexcept {
  return core.begin_wait();
}

std::shared_ptr<WaitQueue> wait_queue(LimiterCore& core) noexcept {
  return core.queue();
}

Clock::TimePoint wait_end(LimiterCore& core, std::chrono::nanoseconds backoff) noexcept {
  return core.clock().now() + backoff;
}

}  // namespace bursar::detail
