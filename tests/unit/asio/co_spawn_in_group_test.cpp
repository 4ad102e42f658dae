#include <bursar/asio/co_spawn_in_group.h>
#include <bursar/groups/resource_group_registry.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace bursar::asio {
namespace {

namespace net = boost::asio;

ResourceGroupToken group(std::string_view name) {
  return ResourceGroupRegistry::global().register_resource_group(name);
}

const ResourceGroupToken kFirst = group("co_spawn_test.first");
const ResourceGroupToken kSecond = group("co_spawn_test.second");
const ResourceGroupToken kRoot = ResourceGroupToken::root();

// Counts how often it is not in `token`'s group, over many hops between the pool's threads.
net::awaitable<void> hop(net::any_io_executor timers, ResourceGroupToken token, std::atomic<int>& wrong, int hops) {
  for (int count = 0; count < hops; ++count) {
    wrong += ResourceGroupToken::current() == token ? 0 : 1;
    co_await net::post(net::use_awaitable);
    wrong += ResourceGroupToken::current() == token ? 0 : 1;
    net::steady_timer timer(timers, std::chrono::nanoseconds(1));
    co_await timer.async_wait(net::use_awaitable);
  }
}

TEST(CoSpawnInGroup, EveryResumptionOnAnyThreadIsInTheGroupAndNoSuspensionIs) {
  constexpr int kCoroutines = 64;
  constexpr int kHops = 100;
  net::thread_pool pool(4);
  std::atomic<int> wrong{0};
  std::atomic<int> left_over{0};
  for (int number = 0; number < kCoroutines; ++number) {
    const auto token = number % 2 == 0 ? kFirst : kSecond;
    const net::any_io_executor timers =
        number % 4 < 2 ? net::any_io_executor(pool.get_executor()) : net::any_io_executor(in_group(pool, kFirst));
    co_spawn_in_group(
        pool.get_executor(), token, [&wrong, timers, token] { return hop(timers, token, wrong, kHops); },
        net::detached);
    for (int probe = 0; probe < kHops; ++probe) {
      net::post(pool, [&left_over] { left_over += ResourceGroupToken::current() == kRoot ? 0 : 1; });
    }
  }
  pool.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(left_over, 0);
}

TEST(CoSpawnInGroup, PlainCoSpawnOnAGroupExecutorDoesTheSame) {
  net::thread_pool pool(4);
  std::atomic<int> wrong{0};
  net::co_spawn(in_group(pool, kFirst), hop(pool.get_executor(), kFirst, wrong, 100), net::detached);
  net::co_spawn(net::make_strand(in_group(pool, kSecond)), hop(pool.get_executor(), kSecond, wrong, 100),
                net::detached);
  pool.join();
  EXPECT_EQ(wrong, 0);
}

TEST(CoSpawnInGroup, MakesTheCoroutineInsideTheGroup) {
  net::io_context context;
  ResourceGroupToken made_in;
  co_spawn_in_group(
      context, kFirst,
      [&]() -> net::awaitable<void> {
        made_in = ResourceGroupToken::current();
        return [](ResourceGroupToken) -> net::awaitable<void> { co_return; }(made_in);
      },
      net::detached);
  EXPECT_EQ(ResourceGroupToken::current(), kRoot);
  context.run();
  EXPECT_EQ(made_in, kFirst);
}

TEST(CoSpawnInGroup, ACoroutineThatAwaitsAnotherStaysInItsGroup) {
  net::io_context context;
  std::vector<ResourceGroupToken> seen;
  const auto note = [&seen] { seen.push_back(ResourceGroupToken::current()); };
  const auto inner = [&]() -> net::awaitable<void> {
    note();
    co_await net::post(net::use_awaitable);
    note();
  };
  co_spawn_in_group(
      context.get_executor(), kFirst,
      [&]() -> net::awaitable<void> {
        co_await inner();
        co_await co_spawn_in_group(context.get_executor(), kSecond, inner, net::use_awaitable);
        note();
      },
      net::detached);
  context.run();
  EXPECT_EQ(seen, (std::vector{kFirst, kFirst, kSecond, kSecond, kFirst}));
}

TEST(CoSpawnInGroup, HandsTheResultAndTheExceptionToTheCompletion) {
  net::thread_pool pool(1);
  auto result =
      co_spawn_in_group(pool.get_executor(), kFirst, []() -> net::awaitable<int> { co_return 7; }, net::use_future);
  EXPECT_EQ(result.get(), 7);
  auto failure = co_spawn_in_group(
      pool.get_executor(), kFirst,
      []() -> net::awaitable<void> {
        co_await net::post(net::use_awaitable);
        throw std::runtime_error("out");
      },
      net::use_future);
  EXPECT_THROW(failure.get(), std::runtime_error);
  pool.join();
}

TEST(CoSpawnInGroup, ACompletionThatNamesNoExecutorRunsInTheGroup) {
  net::io_context context;
  ResourceGroupToken unbound;
  ResourceGroupToken bound = kFirst;
  const auto nothing = []() -> net::awaitable<void> { co_return; };
  co_spawn_in_group(context.get_executor(), kFirst, nothing,
                    [&](const std::exception_ptr&) { unbound = ResourceGroupToken::current(); });
  co_spawn_in_group(context.get_executor(), kFirst, nothing,
                    net::bind_executor(context.get_executor(),
                                       [&](const std::exception_ptr&) { bound = ResourceGroupToken::current(); }));
  context.run();
  EXPECT_EQ(unbound, kFirst);
  // The completion is dispatched from the coroutine, which is in the group still.
  EXPECT_EQ(bound, kFirst);
}

TEST(CoSpawnInGroup, CancellationReachesTheCoroutineInsideItsGroup) {
  net::io_context context;
  net::cancellation_signal signal;
  boost::system::error_code outcome;
  ResourceGroupToken resumed_in;
  co_spawn_in_group(
      context.get_executor(), kFirst,
      [&]() -> net::awaitable<void> {
        net::steady_timer timer(co_await net::this_coro::executor, std::chrono::hours(1));
        const auto [error] = co_await timer.async_wait(net::as_tuple(net::use_awaitable));
        outcome = error;
        resumed_in = ResourceGroupToken::current();
      },
      net::bind_cancellation_slot(signal.slot(), net::detached));
  net::post(context, [&] { signal.emit(net::cancellation_type::all); });
  context.run();
  EXPECT_EQ(outcome, net::error::operation_aborted);
  EXPECT_EQ(resumed_in, kFirst);
}

}  // namespace
}  // namespace bursar::asio
