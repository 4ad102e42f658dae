#pragma once

#include <bursar/limiter/limiter_event.h>
#include <bursar/limiter/memory_limiter_options.h>
#include <bursar/limiter/reclaim.h>
#include <bursar/limiter/sampling_pace.h>
#include <bursar/limiter/usage_gauge.h>
#include <bursar/limiter/wait_queue.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "limiter/alarm.h"
#include "limiter/fair_wait.h"
#include "limiter/memory_relief.h"

namespace bursar::detail {

// Has the gauge measure and the policy decide, publishes what came out, lets callers wait by it, and has memory given
// back. It has no thread: whoever owns it calls `poll`. Callers measure, too, where the thread's look is too old for
// them.
//
// Thread-safety: yes. Allocates: for its construction, and for events that bear a message. Blocks: `poll` for the
// sensors, for what gives memory back, and for another who measures; `begin_wait` for the sensors and for another who
// measures.
class LimiterCore {
 public:
  // The alarm, which may be missing, is rung where the thread should not sleep on.
  LimiterCore(std::uint64_t limit_bytes, MemoryLimiterOptions options, std::shared_ptr<Alarm> alarm);

  struct Poll {
    std::chrono::nanoseconds interval;  // it wants to be called again after this
    bool busy;                          // it had memory given back, or told of events: that took time of its own
  };
  // Measures, decides and publishes; has memory given back; hands over the coroutines whose wait is over; tells of
  // events. The interval is no shorter than what is given for a usage that moves or stands still, but for coroutines.
  Poll poll(std::chrono::nanoseconds least_moving = {}, std::chrono::nanoseconds least_still = {}) noexcept;

  // The kernel's word that tasks stall for lack of memory.
  void note_stall() noexcept;

  // Counts a wait where there is pressure, and says how long it is to take. Measures anew first where the caller's
  // thread has grown, or where the last look is old.
  [[nodiscard]] std::chrono::nanoseconds begin_wait() noexcept;

  // False while nobody has to do anything in a wait.
  [[nodiscard]] const std::atomic<bool>& attention() const noexcept { return attention_; }
  [[nodiscard]] std::chrono::nanoseconds backoff() const noexcept {
    return std::chrono::nanoseconds(backoff_nanos_.load(std::memory_order_relaxed));
  }
  [[nodiscard]] LimiterState state() const noexcept { return state_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::optional<std::uint64_t> usage_bytes() const noexcept;
  [[nodiscard]] std::uint64_t limit_bytes() const noexcept { return limit_bytes_.load(std::memory_order_relaxed); }
  [[nodiscard]] LimiterMode mode() const noexcept { return mode_; }
  [[nodiscard]] std::uint64_t waits_total() const noexcept { return waits_total_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t looks_total() const noexcept { return looks_total_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t failed_readings_total() const noexcept {
    return failed_readings_total_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] Clock& clock() const noexcept { return clock_; }
  [[nodiscard]] const std::shared_ptr<WaitQueue>& queue() const noexcept { return queue_; }
  [[nodiscard]] const std::shared_ptr<ReclaimList>& reclaim_list() const noexcept { return relief_.reclaim_list(); }
  [[nodiscard]] EventRecord& events() noexcept { return events_; }

  // Puts an event into the record, with how the limiter stands now.
  void record(LimiterEventKind kind, std::string message, std::uint64_t freed_bytes = 0) noexcept;

 private:
  // What a thread remembers of its last wait.
  struct Caller {
    std::uint64_t core = 0;  // the number of the core that it waited on; 0 is none
    std::uint64_t growth_bytes = 0;
    FairWait::Caller fair;
  };

  // With `measuring_` held:
  void measure(Clock::TimePoint now) noexcept;
  void publish_attention(Clock::TimePoint now) noexcept;
  void note_changes(const UsageGauge& gauge) noexcept;
  void read_live_bytes(Clock::TimePoint now) noexcept;
  void read_limit(Clock::TimePoint now) noexcept;

  // Measures on the caller's behalf, where it has grown or the last look is old.
  void look_for(Caller& caller) noexcept;

  // True where something was done.
  bool relieve() noexcept;
  bool tell_events() noexcept;
  void look_after_purge() noexcept;

  static std::uint64_t next_number() noexcept;
  static thread_local constinit Caller caller_;

  const LimiterMode mode_;
  // Memory is given back, and events are told, by one thread at a time: whoever sets it, by an acquire that pairs with the
  // release of the one before.
  std::atomic<bool> polling_{false};
  bool effective_limit_good_ = true;  // guarded by measuring_

  // What is published. One variable each: a reader takes each for itself, and nothing else is read because of them, so
  // every access to them is relaxed.
  std::atomic<bool> attention_{false};
  std::atomic<LimiterState> state_{LimiterState::Normal};
  std::atomic<bool> has_usage_{false};
  std::atomic<std::int64_t> backoff_nanos_{0};
  std::atomic<std::uint64_t> usage_bytes_{0};
  std::atomic<std::uint64_t> limit_bytes_;
  std::atomic<std::uint64_t> looks_total_{0};
  std::atomic<std::uint64_t> waits_total_{0};
  std::atomic<std::uint64_t> failed_readings_total_{0};
  std::atomic<Clock::TimePoint> measured_at_;
  std::atomic<std::int64_t> caller_interval_nanos_{0};
  std::atomic<std::uint64_t> caller_growth_bytes_{0};

  const std::uint64_t number_ = next_number();  // no other core of the process has it, now or later
  const ThreadGrowth thread_growth_;
  const std::function<void(const LimiterEvent&)> on_event_;
  Clock& clock_;
  const std::shared_ptr<Alarm> alarm_;

  std::mutex measuring_;  // guards the following
  UsageGauge gauge_;
  std::optional<UsageGauge> live_gauge_;
  std::optional<std::uint64_t> live_bytes_;
  Clock::TimePoint live_read_at_;
  MemorySensor effective_limit_;
  Clock::TimePoint limit_read_at_;
  LimiterPolicy policy_;
  SamplingPace pace_;
  SamplingPlan plan_{};
  Clock::TimePoint next_poll_at_;
  std::optional<std::uint64_t> lowest_since_purge_;

  FairWait fair_wait_;
  MemoryRelief relief_;
  const std::shared_ptr<WaitQueue> queue_;
  EventRecord events_;
  std::uint64_t told_sequence_ = 0;  // guarded by polling_
};

}  // namespace bursar::detail
