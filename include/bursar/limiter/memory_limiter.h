#pragma once

#include <bursar/bounds/memory_grant.h>
#include <bursar/limiter/capacity_awaiter.h>
#include <bursar/limiter/limiter_error.h>
#include <bursar/limiter/limiter_event.h>
#include <bursar/limiter/limiter_state.h>
#include <bursar/limiter/memory_limiter_options.h>
#include <bursar/limiter/reclaim.h>

#include <atomic>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace bursar {

namespace detail {
class LimiterThread;
}

// std::stop_token, or whatever else can say that it is time to stop.
template <typename Token>
concept StopToken = requires(const Token& token) {
  { token.stop_requested() } -> std::convertible_to<bool>;
};

// Slows the process down before its memory limit ends it. It measures usage in the background and publishes a state and
// a back-off; code that brings work in waits for capacity before each piece, and refuses what it can in Hard. Where the
// limit could be reached before the background's next look, callers of the wait look for themselves, once their own
// thread has allocated a small share of the room that was left.
//
// A forked child has no such thread and has to make a limiter of its own.
//
// Thread-safety: all const functions may be called from any thread. REQUIRES: it outlives the calls on it; coroutines
// that wait on it are resumed by its destruction.
// Allocates: when it is made, and for each coroutine that has to wait. Blocks: `wait_for_capacity`, and its destruction
// until its thread has done with a look that is under way, with the memory that it has given back and the events that
// it tells of.
// Cost: `wait_for_capacity` is one load while there is so much room that the fastest growth could not use it up before
// the thread's next look; 24 ns while there is less, and more between threads; a look takes 0.5 us a sensor. The thread takes 0.1 %
// of a core at most in the long run.
class MemoryLimiter {
 public:
  // The error is for a limit of 0, for options that make no sense, and where usage cannot be measured.
  [[nodiscard]] static std::expected<MemoryLimiter, LimiterError> create(const MemoryGrant& grant,
                                                                         MemoryLimiterOptions options = {});
  // A limiter that never limits. A limiter that was moved from is one, too.
  [[nodiscard]] static MemoryLimiter noop() noexcept { return MemoryLimiter(); }

  MemoryLimiter(MemoryLimiter&& other) noexcept;
  MemoryLimiter& operator=(MemoryLimiter&& other) noexcept;
  ~MemoryLimiter();

  // Blocks the calling thread for the current back-off, if any.
  void wait_for_capacity() const noexcept {
    if (needs_attention()) [[unlikely]]
      wait({}, Clock::TimePoint::max());
  }

  // The same, ended early by a stop, within a millisecond, or by a deadline. False where the wait was cut short. Every
  // wait ends early, within 5 ms, once nobody has to wait any more.
  bool wait_for_capacity(Clock::TimePoint deadline) const noexcept { return !needs_attention() || wait({}, deadline); }
  template <StopToken Token>
  bool wait_for_capacity(const Token& stop, Clock::TimePoint deadline = Clock::TimePoint::max()) const noexcept {
    return !needs_attention() || wait(StopCheck(stop), deadline);
  }

  // `co_await` it: suspends the coroutine for the current back-off, if any, and resumes it through `executor`.
  template <CapacityExecutor Executor>
  [[nodiscard]] CapacityAwaiter<Executor> async_wait_for_capacity(Executor executor) const {
    return CapacityAwaiter<Executor>(needs_attention() ? core_ : nullptr, std::move(executor));
  }

  // For whoever waits by a timer of their own: counts a wait as the functions above do, and says how long it should
  // take. Zero without pressure and in LimiterMode::Observe.
  [[nodiscard]] std::chrono::nanoseconds begin_wait() const noexcept {
    return needs_attention() ? detail::begin_wait(*core_) : std::chrono::nanoseconds::zero();
  }

  // How long a wait that begins now would take, of a caller that is beyond its bounds or has none; in
  // LimiterMode::Observe, would take if it were not for the mode.
  [[nodiscard]] std::chrono::nanoseconds active_backoff() const noexcept;
  [[nodiscard]] LimiterState state() const noexcept;
  // Whether work that can be refused should be: in Hard, unless the mode is Observe.
  [[nodiscard]] bool should_shed() const noexcept;

  [[nodiscard]] LimiterMode mode() const noexcept;  // Off for noop()
  // The usage last measured, and the limit it is compared with: none for noop(), and no usage while it cannot be read.
  [[nodiscard]] std::optional<std::uint64_t> usage_bytes() const noexcept;
  [[nodiscard]] std::optional<std::uint64_t> effective_limit_bytes() const noexcept;
  // How many waits met pressure, and how many readings of a sensor failed.
  [[nodiscard]] std::uint64_t waits_total() const noexcept;
  [[nodiscard]] std::uint64_t failed_readings_total() const noexcept;

  // How often memory was looked at, by the thread and by callers of the wait.
  [[nodiscard]] std::uint64_t looks_total() const noexcept;

  // What happened, oldest first: the last 256 events, or those of them that came after the one of that number.
  [[nodiscard]] std::vector<LimiterEvent> events(std::uint64_t after_sequence = 0) const;

  // Enters a component that can give memory back, such as a cache. In Soft and Hard those are asked whose overdraft is
  // the largest first, until enough has come back. The callbacks run on the limiter's thread.
  [[nodiscard]] ReclaimRegistration on_reclaim(std::string name, OverdraftFigure overdraft_bytes,
                                               ReclaimCallback reclaim) const;

  // Measures, decides and publishes on the calling thread, now; has memory given back, tells of events, and resumes
  // coroutines whose back-off has passed. The thread does nothing else; a limiter without one wants to be polled again
  // after the time that this returns.
  std::chrono::nanoseconds poll() const noexcept;

 private:
  // A stop token of any type.
  class StopCheck {
   public:
    StopCheck() = default;
    template <StopToken Token>
    explicit StopCheck(const Token& token) noexcept
        : token_(&token),
          ask_([](const void* asked) -> bool { return static_cast<const Token*>(asked)->stop_requested(); }) {}

    [[nodiscard]] bool present() const noexcept { return ask_ != nullptr; }
    [[nodiscard]] bool stop_requested() const noexcept { return ask_ != nullptr && ask_(token_); }

   private:
    const void* token_ = nullptr;
    bool (*ask_)(const void*) = nullptr;
  };

  static constinit const std::atomic<bool> kNoAttention;

  MemoryLimiter() noexcept;
  [[nodiscard]] static std::expected<MemoryLimiter, LimiterError> start(std::uint64_t limit_bytes,
                                                                        MemoryLimiterOptions options);
  MemoryLimiter(std::shared_ptr<detail::LimiterCore> core, std::unique_ptr<detail::LimiterThread> thread) noexcept;

  // Relaxed: nothing is read because of it, and being a moment late is in the nature of a sample.
  [[nodiscard]] bool needs_attention() const noexcept { return attention_->load(std::memory_order_relaxed); }
  bool wait(StopCheck stop, Clock::TimePoint deadline) const noexcept;

  const std::atomic<bool>* attention_;  // the core's, or one that is false for ever: spares a branch
  std::shared_ptr<detail::LimiterCore> core_;
  std::unique_ptr<detail::LimiterThread> thread_;
};

}  // namespace bursar
