#pragma once

#include <bursar/bounds/memory_grant.h>
#include <bursar/limiter/capacity_awaiter.h>
#include <bursar/limiter/limiter_error.h>
#include <bursar/limiter/limiter_state.h>
#include <bursar/limiter/memory_limiter_options.h>

#include <atomic>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <utility>

namespace bursar {

// std::stop_token, or whatever else can say that it is time to stop.
template <typename Token>
concept StopToken = requires(const Token& token) {
  { token.stop_requested() } -> std::convertible_to<bool>;
};

// Slows the process down before its memory limit ends it. It measures usage in the background and publishes a state and
// a back-off; code that brings work in waits for capacity before each piece, and refuses what it can in Hard.
//
// A forked child has no such thread and has to make a limiter of its own.
//
// Thread-safety: all const functions may be called from any thread. REQUIRES: it outlives the calls on it; coroutines
// that wait on it are resumed by its destruction.
// Allocates: when it is made, and for each coroutine that has to wait. Blocks: `wait_for_capacity`, and its destruction
// until its thread has ended, which takes no longer than one look at the sensors.
// Cost: `wait_for_capacity` without pressure is one load, 1 to 2 ns; the thread takes 0.1 % of a core at 10 ms.
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
    if (under_pressure()) [[unlikely]]
      wait({}, Clock::TimePoint::max());
  }

  // The same, ended early by a stop, within a millisecond, or by a deadline. False where the wait was cut short.
  bool wait_for_capacity(Clock::TimePoint deadline) const noexcept { return !under_pressure() || wait({}, deadline); }
  template <StopToken Token>
  bool wait_for_capacity(const Token& stop, Clock::TimePoint deadline = Clock::TimePoint::max()) const noexcept {
    return !under_pressure() || wait(StopCheck(stop), deadline);
  }

  // `co_await` it: suspends the coroutine for the current back-off, if any, and resumes it through `executor`.
  template <CapacityExecutor Executor>
  [[nodiscard]] CapacityAwaiter<Executor> async_wait_for_capacity(Executor executor) const {
    return CapacityAwaiter<Executor>(under_pressure() ? core_ : nullptr, std::move(executor));
  }

  // For whoever waits by a timer of their own: counts a wait as the functions above do, and says how long it should
  // take. Zero without pressure and in LimiterMode::Observe.
  [[nodiscard]] std::chrono::nanoseconds begin_wait() const noexcept {
    return under_pressure() ? detail::begin_wait(*core_) : std::chrono::nanoseconds::zero();
  }

  // How long a wait that begins now would take; in LimiterMode::Observe, would take if it were not for the mode.
  [[nodiscard]] std::chrono::nanoseconds active_backoff() const noexcept {
    return std::chrono::nanoseconds(backoff_nanos_->load(std::memory_order_relaxed));
  }
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

  // Measures, decides and publishes on the calling thread, now; resumes coroutines whose back-off has passed. The
  // thread does nothing else; a limiter without one wants to be polled again after the time that this returns.
  std::chrono::nanoseconds poll() const noexcept;

 private:
  class Thread;

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

  static constinit const std::atomic<std::int64_t> kNoBackoffNanos;

  MemoryLimiter() noexcept;
  MemoryLimiter(std::shared_ptr<detail::LimiterCore> core, std::unique_ptr<Thread> thread) noexcept;

  // Relaxed: nothing is read because of it, and being a moment late is in the nature of a sample.
  [[nodiscard]] bool under_pressure() const noexcept { return backoff_nanos_->load(std::memory_order_relaxed) != 0; }
  bool wait(StopCheck stop, Clock::TimePoint deadline) const noexcept;
  void shut_down() noexcept;

  const std::atomic<std::int64_t>* backoff_nanos_;  // the core's, or one that is zero for ever: spares a branch
  std::shared_ptr<detail::LimiterCore> core_;
  std::unique_ptr<Thread> thread_;
};

}  // namespace bursar
