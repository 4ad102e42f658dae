#pragma once

#include <bursar/limiter/wait_queue.h>

#include <atomic>
#include <chrono>
#include <concepts>
#include <coroutine>
#include <exception>
#include <memory>
#include <utility>

namespace bursar {

namespace detail {

class LimiterCore;

// Counts a wait, and says how long it is to take: zero where nobody waits.
[[nodiscard]] std::chrono::nanoseconds begin_wait(LimiterCore& core) noexcept;
[[nodiscard]] std::shared_ptr<WaitQueue> wait_queue(LimiterCore& core) noexcept;
[[nodiscard]] Clock::TimePoint wait_end(LimiterCore& core, std::chrono::nanoseconds backoff) noexcept;

struct NullaryProbe {
  void operator()() const {}
};

template <typename Executor>
concept MemberExecutor = requires(Executor& executor) { executor.execute(NullaryProbe{}); };

}  // namespace detail

// What a coroutine can be resumed on: something with `.execute(nullary)`, as Asio's executors have it, or a callable
// that takes a nullary. It is copied. It may run the nullary at once, on the limiter's thread; it must not wait for it
// to be run on another thread. Should it throw, it is asked again a millisecond later.
template <typename Executor>
concept CapacityExecutor = std::copy_constructible<Executor> &&
                           (detail::MemberExecutor<Executor> || std::invocable<Executor&, detail::NullaryProbe>);

// What `co_await limiter.async_wait_for_capacity(executor)` waits on: until the back-off has passed, or the limiter is
// gone. Then the coroutine is resumed through the executor. Without pressure it is not even suspended. A coroutine that
// is destroyed while it waits leaves nothing behind; as always it must not be destroyed by one thread while its
// executor resumes it on another.
//
// Thread-safety: belongs to the coroutine. Allocates: only where there is pressure. Blocks: no; a coroutine's
// destruction waits while the limiter's thread is inside `execute` for it.
template <CapacityExecutor Executor>
class [[nodiscard]] CapacityAwaiter final : private detail::WaitQueue::Entry {
 public:
  // `core` may be nullptr: then nobody waits.
  CapacityAwaiter(std::shared_ptr<detail::LimiterCore> core, Executor executor)
      : core_(std::move(core)), executor_(std::move(executor)) {}

  ~CapacityAwaiter() {
    if (!queue_) return;
    queue_->remove(*this);
    // A nullary that the executor has not yet run must not resume a coroutine that is gone.
    claim_->exchange(true, std::memory_order_acq_rel);
  }

  CapacityAwaiter(const CapacityAwaiter&) = delete;
  CapacityAwaiter& operator=(const CapacityAwaiter&) = delete;

  [[nodiscard]] bool await_ready() noexcept {
    if (!core_) return true;
    backoff_ = detail::begin_wait(*core_);
    return backoff_ == backoff_.zero();
  }

  bool await_suspend(std::coroutine_handle<> handle) {
    handle_ = handle;
    claim_ = std::make_shared<Claim>(false);
    queue_ = detail::wait_queue(*core_);
    const Clock::TimePoint end = detail::wait_end(*core_, backoff_);
    // The limiter may be destroyed while the coroutine waits; the queue stays.
    core_.reset();
    // Once the entry is in the queue, this object may be gone at any moment; a copy keeps the queue.
    const std::shared_ptr<detail::WaitQueue> queue = queue_;
    return queue->add(*this, end);
  }

  void await_resume() const noexcept {}

 private:
  // Becomes true once: by whoever resumes the coroutine, or by its end.
  using Claim = std::atomic<bool>;

  bool hand_over() noexcept override {
    const std::shared_ptr<Claim> claim = claim_;
    try {
      // The coroutine may run, and destroy this object, before `execute` returns.
      Executor executor = executor_;
      auto resume = [claim, handle = handle_] { take_and_resume(*claim, handle); };
      if constexpr (detail::MemberExecutor<Executor>) {
        executor.execute(std::move(resume));
      } else {
        executor(std::move(resume));
      }
      return true;
    } catch (...) {
      // Where the coroutine did run, the exception is its own, and nobody is left to take it.
      if (claim->load(std::memory_order_acquire)) std::terminate();
      return false;
    }
  }

  void resume_here() noexcept override { take_and_resume(*std::shared_ptr<Claim>(claim_), handle_); }

  static void take_and_resume(Claim& claim, std::coroutine_handle<> handle) {
    if (!claim.exchange(true, std::memory_order_acq_rel)) handle.resume();
  }

  std::shared_ptr<detail::LimiterCore> core_;
  Executor executor_;
  std::chrono::nanoseconds backoff_{0};
  std::coroutine_handle<> handle_;
  std::shared_ptr<Claim> claim_;
  std::shared_ptr<detail::WaitQueue> queue_;
};

}  // namespace bursar
