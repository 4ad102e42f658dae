// A million suspensions of Asio coroutines on a pool of four threads: each nanosecond is its group's.

#include <bursar/asio/group_executor.h>
#include <bursar/cpu/thread_clock.h>
#include <bursar/groups/resource_group_registry.h>

#include <gtest/gtest.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

namespace bursar {
namespace {

namespace net = boost::asio;

constexpr std::size_t kCoroutines = 8;
constexpr int kHops = 125'000;  // each

struct OwnBooks {
  std::uint64_t cpu_nanos = 0;
  int hops = 0;
  int wrong_groups = 0;
};

template <typename Executor>
net::awaitable<void> wander(Executor executor, ResourceGroupToken token, OwnBooks& books) {
  for (int i = 0; i < kHops; ++i) {
    co_await net::post(executor, net::use_awaitable);
    const std::uint64_t start = cpu::thread_cpu_nanos();
    if (ResourceGroupToken::current() != token) ++books.wrong_groups;
    ++books.hops;
    books.cpu_nanos += cpu::thread_cpu_nanos() - start;
  }
}

TEST(AsioMigration, AMillionHopsOverFourThreadsLeaveEveryNanosecondWithItsGroup) {
  std::array<ResourceGroupToken, kCoroutines> tokens;
  std::array<OwnBooks, kCoroutines> books;
  std::atomic<int> strays{0};
  {
    net::thread_pool pool(4);
    for (std::size_t i = 0; i < kCoroutines; ++i) {
      tokens[i] = ResourceGroupRegistry::global().register_resource_group("asio_migration." + std::to_string(i));
      const auto executor = asio::in_group(pool.get_executor(), tokens[i]);
      net::co_spawn(executor, wander(executor, tokens[i], books[i]), net::detached);
    }
    for (int i = 0; i < 1'000; ++i) {
      net::post(pool, [&strays] {
        if (ResourceGroupToken::current() != ResourceGroupToken::root()) strays.fetch_add(1);
      });
    }
    pool.join();
  }
  EXPECT_EQ(strays.load(), 0);
  for (std::size_t i = 0; i < kCoroutines; ++i) {
    SCOPED_TRACE(i);
    EXPECT_EQ(books[i].hops, kHops);
    EXPECT_EQ(books[i].wrong_groups, 0);
    EXPECT_GE(static_cast<double>(tokens[i].stats().totals().cpu_time_nanos),
              0.99 * static_cast<double>(books[i].cpu_nanos));
  }
  const std::uint64_t attributed = ResourceGroupRegistry::global().totals().cpu_time_nanos;
  const std::uint64_t process = cpu::process_cpu_nanos();
  EXPECT_NEAR(static_cast<double>(attributed), static_cast<double>(process), 0.01 * static_cast<double>(process));
}

}  // namespace
}  // namespace bursar
