#include <bursar/asio/async_wait_for_capacity.h>
#include <bursar/asio/co_spawn_in_group.h>
#include <bursar/bounds/memory_grant.h>
#include <bursar/groups/resource_group_registry.h>
#include <bursar/limiter/memory_limiter.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <exception>
#include <future>
#include <optional>

namespace bursar::asio {
namespace {

namespace net = boost::asio;
using namespace std::chrono_literals;

// A limiter that asks each wait to take `backoff`.
MemoryLimiter limiter_with(std::chrono::nanoseconds backoff) {
  MemoryLimiterOptions options;
  options.usage_sensors = {[]() -> std::optional<std::uint64_t> { return 1; }};
  options.policy = [backoff](const MemoryReading&) {
    return LimiterDecision{.state = LimiterState::Soft, .backoff = backoff};
  };
  options.background_thread = false;
  auto limiter = MemoryLimiter::create(MemoryGrant::effective(1000).value(), options);
  EXPECT_TRUE(limiter.has_value());
  static_cast<void>(limiter->poll());
  EXPECT_EQ(limiter->active_backoff(), backoff);
  return *std::move(limiter);
}

TEST(AsyncWaitForCapacity, WithoutPressureTheCoroutineGoesOnAtOnce) {
  const MemoryLimiter limiter = MemoryLimiter::noop();
  net::io_context context;
  bool done = false;
  net::co_spawn(
      context,
      [&]() -> net::awaitable<void> {
        for (int wait = 0; wait < 100; ++wait) {
          co_await async_wait_for_capacity(limiter);
        }
        done = true;
      },
      net::detached);
  EXPECT_EQ(context.poll_one(), 1U) << "one handler starts the coroutine; a wait that posts would need another";
  EXPECT_TRUE(done);
}

TEST(AsyncWaitForCapacity, UnderPressureItTakesTheBackoffAndIsCounted) {
  const MemoryLimiter limiter = limiter_with(20ms);
  net::io_context context;
  const auto began = std::chrono::steady_clock::now();
  net::co_spawn(
      context,
      [&]() -> net::awaitable<void> {
        co_await async_wait_for_capacity(limiter);
        co_await async_wait_for_capacity(limiter);
      },
      net::detached);
  context.run();
  EXPECT_GE(std::chrono::steady_clock::now() - began, 40ms);
  EXPECT_EQ(limiter.waits_total(), 2U);
}

TEST(AsyncWaitForCapacity, LeavesTheThreadToOthersMeanwhile) {
  const MemoryLimiter limiter = limiter_with(1h);
  net::io_context context;
  net::cancellation_signal signal;
  bool others_ran = false;
  std::exception_ptr failure;
  net::co_spawn(
      context, [&]() -> net::awaitable<void> { co_await async_wait_for_capacity(limiter); },
      net::bind_cancellation_slot(signal.slot(), [&](const std::exception_ptr& exception) { failure = exception; }));
  net::post(context, [&] {
    others_ran = true;
    signal.emit(net::cancellation_type::terminal);
  });
  context.run();
  EXPECT_TRUE(others_ran);
  ASSERT_NE(failure, nullptr) << "a cancelled wait throws";
  try {
    std::rethrow_exception(failure);
  } catch (const boost::system::system_error& error) {
    EXPECT_EQ(error.code(), net::error::operation_aborted);
  }
}

TEST(AsyncWaitForCapacity, ResumesInTheGroupOfTheCoroutine) {
  const MemoryLimiter limiter = limiter_with(1ns);
  const auto token = ResourceGroupRegistry::global().register_resource_group("wait_test.group");
  net::thread_pool pool(4);
  std::atomic<int> wrong{0};
  for (int coroutine = 0; coroutine < 16; ++coroutine) {
    co_spawn_in_group(
        pool.get_executor(), token,
        [&]() -> net::awaitable<void> {
          for (int wait = 0; wait < 50; ++wait) {
            co_await async_wait_for_capacity(limiter);
            wrong += ResourceGroupToken::current() == token ? 0 : 1;
          }
        },
        net::detached);
  }
  pool.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(limiter.waits_total(), 16U * 50U);
}

TEST(AsyncWaitForCapacity, CompletesACallbackAndNeverInsideTheCall) {
  const MemoryLimiter free = MemoryLimiter::noop();
  const MemoryLimiter pressed = limiter_with(1ns);
  net::io_context context;
  int completions = 0;
  const auto complete = [&](boost::system::error_code error) { completions += error ? 0 : 1; };
  async_wait_for_capacity(free, context.get_executor(), complete);
  async_wait_for_capacity(pressed, context.get_executor(), complete);
  EXPECT_EQ(completions, 0);
  context.run();
  EXPECT_EQ(completions, 2);
  EXPECT_EQ(pressed.waits_total(), 1U);
}

TEST(AsyncWaitForCapacity, ALazyTokenWaitsOnlyWhenItIsLaunched) {
  const MemoryLimiter limiter = limiter_with(1ns);
  net::io_context context;
  auto operation = async_wait_for_capacity(limiter, context.get_executor(), net::deferred);
  EXPECT_EQ(limiter.waits_total(), 0U);
  auto future = std::move(operation)(net::use_future);
  EXPECT_EQ(limiter.waits_total(), 1U);
  context.run();
  EXPECT_NO_THROW(future.get());
}

TEST(AsyncWaitForCapacity, ACallbackWaitCanBeCancelled) {
  const MemoryLimiter limiter = limiter_with(1h);
  net::io_context context;
  net::cancellation_signal signal;
  boost::system::error_code outcome;
  async_wait_for_capacity(
      limiter, context.get_executor(),
      net::bind_cancellation_slot(signal.slot(), [&](boost::system::error_code error) { outcome = error; }));
  signal.emit(net::cancellation_type::terminal);
  context.run();
  EXPECT_EQ(outcome, net::error::operation_aborted);
}

}  // namespace
}  // namespace bursar::asio
