#pragma once

#include <bursar/limiter/memory_limiter.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/wait_traits.hpp>

#include <chrono>
#include <memory>
#include <utility>

namespace bursar::asio {

// Waits for the limiter's current back-off, if there is any, while the executor's thread does something else:
//
//   co_await bursar::asio::async_wait_for_capacity(limiter);
//
// Without pressure the coroutine goes on at once: nothing is posted, no timer is made. Cancelling the coroutine ends
// the wait with a system_error of operation_aborted, as with any Asio operation.
//
// REQUIRES: the limiter lives until the wait has begun.
// Thread-safety: belongs to the coroutine. Allocates: the coroutine's frame and, under pressure, a timer. Blocks: no.
template <typename Executor = boost::asio::any_io_executor>
[[nodiscard]] boost::asio::awaitable<void, Executor> async_wait_for_capacity(const MemoryLimiter& limiter) {
  const std::chrono::nanoseconds backoff = limiter.begin_wait();
  if (backoff == backoff.zero()) {
    co_return;
  }
  using SteadyClock = std::chrono::steady_clock;
  boost::asio::basic_waitable_timer<SteadyClock, boost::asio::wait_traits<SteadyClock>, Executor> timer(
      co_await boost::asio::this_coro::executor, backoff);
  co_await timer.async_wait(boost::asio::use_awaitable_t<Executor>{});
}

// The same for any completion token, of signature void(error_code): success, or operation_aborted where it was
// cancelled. The wait runs on `executor`.
//
// REQUIRES: the limiter lives until the wait has begun: with lazy tokens (`deferred`, `use_awaitable`) that is later
// than the call. Thread-safety: as the executor. Allocates: what the token does and, under pressure, a timer. Blocks:
// no.
template <typename Executor, typename CompletionToken>
auto async_wait_for_capacity(const MemoryLimiter& limiter, const Executor& executor, CompletionToken&& token) {
  using SteadyClock = std::chrono::steady_clock;
  using Timer = boost::asio::basic_waitable_timer<SteadyClock, boost::asio::wait_traits<SteadyClock>, Executor>;
  return boost::asio::async_compose<CompletionToken, void(boost::system::error_code)>(
      [limiter = &limiter, executor, timer = std::unique_ptr<Timer>(), begun = false](
          auto& self, boost::system::error_code error = {}) mutable {
        if (std::exchange(begun, true)) {
          timer.reset();
          self.complete(error);
          return;
        }
        const std::chrono::nanoseconds backoff = limiter->begin_wait();
        if (backoff == backoff.zero()) {
          boost::asio::post(executor, std::move(self));
          return;
        }
        timer = std::make_unique<Timer>(executor, backoff);
        Timer& waiting = *timer;
        waiting.async_wait(std::move(self));
      },
      token, executor);
}

}  // namespace bursar::asio
