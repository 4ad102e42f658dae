#include "limiter/limiter_core.h"

#include <bursar/base/bytes.h>
#include <bursar/limiter/capacity_awaiter.h>

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

namespace bursar::detail {
namespace {

// A thread beside busy ones comes late by so much.
constexpr std::chrono::milliseconds kLateness{10};
constexpr std::chrono::seconds kLimitInterval{1};
// To sum a ledger up takes longer than to read usage.
constexpr std::chrono::milliseconds kLiveInterval{10};
// Within one part of the limit in so many there is no room left for fairness.
constexpr std::uint64_t kTooNear = 100;
// A purge that gave less than one part of the limit in so many is not worth an entry in the record.
constexpr std::uint64_t kWorthTelling = 1000;

std::optional<UsageGauge> live_gauge(MemoryLimiterOptions& options) {
  if (!options.live_bytes) return std::nullopt;
  return UsageGauge({std::move(options.live_bytes)}, options.last_figure_holds);
}

// An event without its text is better than none, where there is no memory for it.
template <typename Text>
std::string text_of(const Text& text) noexcept {
  try {
    return text();
  } catch (...) {
    return {};
  }
}

LimiterEventKind kind_of(UsageGauge::Health health) noexcept {
  switch (health) {
    case UsageGauge::Health::Failing:
      return LimiterEventKind::SensorFailing;
    case UsageGauge::Health::Lost:
      return LimiterEventKind::SensorLost;
    case UsageGauge::Health::Good:
      break;
  }
  return LimiterEventKind::SensorRecovered;
}

}  // namespace

thread_local constinit LimiterCore::Caller LimiterCore::caller_;

LimiterCore::LimiterCore(std::uint64_t limit_bytes, MemoryLimiterOptions options, std::shared_ptr<Alarm> alarm)
    : mode_(options.mode),
      limit_bytes_(limit_bytes),
      measured_at_(options.clock.get().now()),
      thread_growth_(options.thread_growth),
      on_event_(std::move(options.on_event)),
      clock_(options.clock),
      alarm_(std::move(alarm)),
      gauge_(std::move(options.usage_sensors), options.last_figure_holds),
      live_gauge_(live_gauge(options)),
      effective_limit_(std::move(options.effective_limit)),
      limit_read_at_(measured_at_.load() - kLimitInterval),
      policy_(std::move(options.policy)),
      pace_({.fast_interval = options.fast_interval,
             .slow_interval = options.slow_interval,
             .fastest_growth_per_second = options.fastest_growth_per_second}),
      fair_wait_(std::move(options.bound_share)),
      relief_(options),
      queue_(std::make_shared<WaitQueue>(alarm_)) {}

LimiterCore::Poll LimiterCore::poll(std::chrono::nanoseconds least_moving,
                                    std::chrono::nanoseconds least_still) noexcept {
  std::chrono::nanoseconds interval;
  {
    const std::lock_guard lock(measuring_);
    const Clock::TimePoint now = clock_.now();
    read_limit(now);
    measure(now);
    interval = std::max(plan_.interval, plan_.still ? least_still : least_moving);
    next_poll_at_ = now + interval;
    publish_attention(now);
  }
  bool busy = false;
  if (!polling_.exchange(true, std::memory_order_acquire)) {
    // Until that is done nobody looks but the callers.
    attention_.store(true, std::memory_order_relaxed);
    busy = relieve();
    busy = tell_events() || busy;
    polling_.store(false, std::memory_order_release);
    const std::lock_guard lock(measuring_);
    const Clock::TimePoint now = clock_.now();
    next_poll_at_ = now + interval;
    publish_attention(now);
  }
  const Clock::TimePoint now = clock_.now();
  if (backoff() == backoff().zero()) {
    queue_->hand_over_all(now);
  } else {
    queue_->hand_over_due(now);
  }
  const Clock::TimePoint promised = queue_->promise(now + interval);
  return {.interval = std::max<std::chrono::nanoseconds>(promised - now, {}), .busy = busy};
}

void LimiterCore::note_stall() noexcept {
  record(LimiterEventKind::MemoryStall, {});
}

std::chrono::nanoseconds LimiterCore::begin_wait() noexcept {
  if (!attention_.load(std::memory_order_relaxed)) return {};
  Caller& caller = caller_;
  look_for(caller);
  const std::chrono::nanoseconds wanted = backoff();
  if (wanted == wanted.zero()) return {};
  waits_total_.fetch_add(1, std::memory_order_relaxed);
  if (mode_ != LimiterMode::On) return {};
  const std::uint64_t limit = limit_bytes();
  const bool too_near = usage_bytes_.load(std::memory_order_relaxed) >= limit - limit / kTooNear;
  return fair_wait_.wait_of(caller.fair, clock_.now(), wanted, too_near);
}

std::optional<std::uint64_t> LimiterCore::usage_bytes() const noexcept {
  if (!has_usage_.load(std::memory_order_relaxed)) return std::nullopt;
  return usage_bytes_.load(std::memory_order_relaxed);
}

void LimiterCore::record(LimiterEventKind kind, std::string message, std::uint64_t freed_bytes) noexcept {
  events_.add({.time = clock_.now(),
               .kind = kind,
               .before = state(),
               .state = state(),
               .usage_bytes = usage_bytes(),
               .limit_bytes = limit_bytes(),
               .backoff = backoff(),
               .freed_bytes = freed_bytes,
               .message = std::move(message)});
}

void LimiterCore::look_for(Caller& caller) noexcept {
  const bool first = caller.core != number_;
  if (first) {
    caller = Caller();
    caller.core = number_;
  }
  const std::chrono::nanoseconds age = clock_.now() - measured_at_.load(std::memory_order_relaxed);
  const bool old = age.count() > caller_interval_nanos_.load(std::memory_order_relaxed);
  const std::uint64_t grown = thread_growth_ != nullptr ? thread_growth_() : 0;
  const bool grew = thread_growth_ != nullptr &&
                    (first || grown - caller.growth_bytes >= caller_growth_bytes_.load(std::memory_order_relaxed));
  if (!grew && !old) return;

  const std::uint64_t looks = looks_total();
  std::unique_lock lock(measuring_, std::try_to_lock);
  if (!lock) {
    // Whoever measures just now does it for all; who has grown has to know, before it grows on.
    if (!grew) return;
    lock.lock();
  }
  if (looks == looks_total()) {
    const Clock::TimePoint now = clock_.now();
    measure(now);
    publish_attention(now);
  }
  caller.growth_bytes = grown;
}

void LimiterCore::measure(Clock::TimePoint now) noexcept {
  measured_at_.store(now, std::memory_order_relaxed);
  const std::optional<std::uint64_t> usage = gauge_.sense(now);
  if (usage && lowest_since_purge_) lowest_since_purge_ = std::min(*lowest_since_purge_, *usage);
  read_live_bytes(now);
  // Without a figure nobody is slowed down.
  LimiterDecision decision;
  if (usage) {
    decision = policy_({.usage_bytes = *usage,
                        .limit_bytes = limit_bytes(),
                        .live_bytes = live_bytes_,
                        .lowest_since_purge_bytes = lowest_since_purge_});
    plan_ = pace_.after(now, *usage, limit_bytes());
  }

  const LimiterState before = state();
  has_usage_.store(usage.has_value(), std::memory_order_relaxed);
  usage_bytes_.store(usage.value_or(0), std::memory_order_relaxed);
  failed_readings_total_.store(gauge_.failed_readings() + (live_gauge_ ? live_gauge_->failed_readings() : 0),
                               std::memory_order_relaxed);
  state_.store(decision.state, std::memory_order_relaxed);
  backoff_nanos_.store(std::max<std::int64_t>(decision.backoff.count(), 0), std::memory_order_relaxed);
  caller_interval_nanos_.store(plan_.caller_interval.count(), std::memory_order_relaxed);
  caller_growth_bytes_.store(plan_.caller_growth_bytes, std::memory_order_relaxed);
  looks_total_.fetch_add(1, std::memory_order_relaxed);

  note_changes(gauge_);
  if (decision.state != before) {
    events_.add({.time = now,
                 .kind = LimiterEventKind::StateChanged,
                 .before = before,
                 .state = decision.state,
                 .usage_bytes = usage,
                 .limit_bytes = limit_bytes(),
                 .backoff = backoff(),
                 .message = {}});
    // There may be memory to be had.
    if (decision.state > before && alarm_) alarm_->ring();
  }
}

void LimiterCore::publish_attention(Clock::TimePoint now) noexcept {
  const std::chrono::nanoseconds until_next = std::max<std::chrono::nanoseconds>(next_poll_at_ - now, {}) + kLateness;
  const bool near = has_usage_.load(std::memory_order_relaxed) && plan_.safe_for <= until_next;
  const bool away = polling_.load(std::memory_order_relaxed);  // giving memory back, or telling of events
  attention_.store(near || away || backoff() != backoff().zero(), std::memory_order_relaxed);
}

void LimiterCore::note_changes(const UsageGauge& gauge) noexcept {
  for (const UsageGauge::Change& change : gauge.changes()) {
    record(kind_of(change.health), text_of([&change] {
             const bool good = change.health == UsageGauge::Health::Good;
             return good ? *change.sensor : *change.sensor + ": " + change.error.message();
           }));
  }
}

void LimiterCore::read_live_bytes(Clock::TimePoint now) noexcept {
  // They say something only of usage that a purge has left.
  if (!live_gauge_ || !lowest_since_purge_ || (live_bytes_ && now - live_read_at_ < kLiveInterval)) return;
  live_read_at_ = now;
  live_bytes_ = live_gauge_->sense(now);
  note_changes(*live_gauge_);
}

void LimiterCore::read_limit(Clock::TimePoint now) noexcept {
  if (!effective_limit_ || now - limit_read_at_ < kLimitInterval) return;
  limit_read_at_ = now;
  const MemorySensor::Reading limit = effective_limit_.read();
  const std::uint64_t before = limit_bytes();
  if (!limit || *limit == 0) {
    if (std::exchange(effective_limit_good_, false)) {
      record(LimiterEventKind::Notice, text_of([&] {
               return "no limit from " + effective_limit_.name() + ": " +
                      (limit ? "it says 0 B" : limit.error().message()) + "; the last one, " + format_bytes(before) +
                      ", counts on";
             }));
    }
    return;
  }
  effective_limit_good_ = true;
  if (*limit == before) return;
  limit_bytes_.store(*limit, std::memory_order_relaxed);
  record(LimiterEventKind::Notice, text_of([&] {
           return "the effective memory limit is now " + format_bytes(*limit) + "; it was " + format_bytes(before);
         }));
}

bool LimiterCore::relieve() noexcept {
  if (state() == LimiterState::Normal) return false;
  const bool purged = relief_.purge_if_due();
  if (purged) look_after_purge();
  const std::optional<std::uint64_t> usage = usage_bytes();
  if (mode_ != LimiterMode::On || state() == LimiterState::Normal || !usage) return purged;
  const auto listener = [this](const std::string& name, std::uint64_t bytes) {
    record(LimiterEventKind::Reclaimed, name, bytes);
  };
  const std::optional<std::uint64_t> freed = relief_.reclaim_if_due(*usage, limit_bytes(), listener);
  if (!freed) return purged;
  if (*freed == 0) return true;
  relief_.purge();
  look_after_purge();
  return true;
}

void LimiterCore::look_after_purge() noexcept {
  const std::uint64_t before = usage_bytes().value_or(0);
  {
    const std::lock_guard lock(measuring_);
    lowest_since_purge_ = std::numeric_limits<std::uint64_t>::max();
    const Clock::TimePoint now = clock_.now();
    measure(now);
    publish_attention(now);
  }
  const std::uint64_t after = usage_bytes().value_or(before);
  const std::uint64_t freed = before > after ? before - after : 0;
  if (freed > limit_bytes() / kWorthTelling) record(LimiterEventKind::Purged, {}, freed);
}

bool LimiterCore::tell_events() noexcept {
  if (!on_event_ || events_.last_sequence() == told_sequence_) return false;
  try {
    for (const LimiterEvent& event : events_.since(told_sequence_)) {
      told_sequence_ = event.sequence;
      on_event_(event);
    }
  } catch (...) {
    // There was no memory for the copies, or the callback broke its promise; the record keeps the events.
    told_sequence_ = events_.last_sequence();
  }
  return true;
}

std::uint64_t LimiterCore::next_number() noexcept {
  static constinit std::atomic<std::uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
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
