// A handler that counts while its thread is in the middle of counting: nothing is lost and nothing counted twice.

#include <pthread.h>
#include <signal.h>
#include <sys/time.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <thread>

#include <bursar/groups/group_presence.h>
#include <bursar/groups/resource_group_registry.h>
#include <bursar/groups/thread_account.h>
#include <gtest/gtest.h>

#include "unit/groups/process_size.h"
#include "unit/groups/registry_probe.h"

namespace bursar {
namespace {

using testing::fresh_group;
using testing::since;
using testing::without_cpu;

std::atomic<ResourceGroupToken> handler_group;
std::atomic<std::uint64_t> handled{0};
std::atomic<std::uint64_t> wrong_returns{0};
// How often the handler found its thread in each group, whose counters it then used itself.
std::array<std::atomic<std::uint64_t>, groups::kGroupIndexes> interrupted{};
constexpr std::uint64_t kInterruptedBytes = 3;

void count_in_handler(int) {
  const ResourceGroupToken before = ResourceGroupToken::current();
  const groups::GroupIndex found = groups::charge_allocation(kInterruptedBytes);
  groups::charge_release(found, kInterruptedBytes);
  interrupted[found].fetch_add(1, std::memory_order_relaxed);
  {
    const ResourceTrackingGuard outer = handler_group.load(std::memory_order_relaxed).enter();
    const ResourceTrackingGuard inner = ResourceGroupToken::root().enter();
    const ResourceTrackingGuard innermost = handler_group.load(std::memory_order_relaxed).enter();
    const groups::GroupIndex charged = groups::charge_allocation(24);
    groups::charge_allocation(1'000);
    groups::charge_release(charged, 24);
  }
  if (ResourceGroupToken::current() != before) wrong_returns.fetch_add(1, std::memory_order_relaxed);
  handled.fetch_add(1, std::memory_order_relaxed);
}

class HandlerInstalled {
 public:
  explicit HandlerInstalled(int signal_number) : signal_number_(signal_number) {
    struct sigaction action{};
    action.sa_handler = count_in_handler;
    action.sa_flags = SA_RESTART;
    sigaction(signal_number, &action, &previous_);
    handler_group = fresh_group("handler");
    handled = 0;
    wrong_returns = 0;
    for (auto& times : interrupted) times = 0;
  }
  ~HandlerInstalled() { sigaction(signal_number_, &previous_, nullptr); }
  HandlerInstalled(const HandlerInstalled&) = delete;
  HandlerInstalled& operator=(const HandlerInstalled&) = delete;

 private:
  int signal_number_;
  struct sigaction previous_{};
};

struct Counted {
  std::uint64_t outer = 0;
  std::uint64_t inner = 0;
};

// One round of everything that a handler may come into the middle of.
void count_once(ResourceGroupToken outer, ResourceGroupToken inner, Counted& counted) {
  const ResourceTrackingGuard in_outer = outer.enter();
  for (int i = 0; i < 20; ++i) groups::charge_allocation(7);
  counted.outer += 20;
  {
    const ResourceTrackingGuard in_inner = inner.enter();
    for (int i = 0; i < 20; ++i) groups::charge_allocation(20'000);
    for (int i = 0; i < 10; ++i) groups::charge_release(inner.index(), 20'000);
    counted.inner += 20;
  }
  for (int i = 0; i < 20; ++i) groups::charge_release(outer.index(), 7);
}

// What the handler counted for a group beside the thread itself.
ResourceStatsSnapshot counted_by_handler(ResourceGroupToken token) {
  const std::uint64_t times = interrupted[token.index()];
  return {.allocated_bytes = times * kInterruptedBytes,
          .allocated_objects = times,
          .deallocated_bytes = times * kInterruptedBytes,
          .deallocated_objects = times};
}

ResourceStatsSnapshot with_handler(ResourceStatsSnapshot figures, ResourceGroupToken token) {
  return figures.merge(counted_by_handler(token));
}

void expect_exact(ResourceGroupToken outer, ResourceGroupToken inner, const Counted& counted) {
  EXPECT_EQ(wrong_returns, 0U);
  EXPECT_EQ(without_cpu(outer.stats().totals()), with_handler({.allocated_bytes = counted.outer * 7,
                                                               .allocated_objects = counted.outer,
                                                               .deallocated_bytes = counted.outer * 7,
                                                               .deallocated_objects = counted.outer},
                                                              outer));
  EXPECT_EQ(without_cpu(inner.stats().totals()), with_handler({.allocated_bytes = counted.inner * 20'000,
                                                               .allocated_objects = counted.inner,
                                                               .deallocated_bytes = counted.inner * 10'000,
                                                               .deallocated_objects = counted.inner / 2},
                                                              inner));
  EXPECT_EQ(without_cpu(handler_group.load().stats().totals()),
            (ResourceStatsSnapshot{.allocated_bytes = handled * 1'024,
                                   .allocated_objects = handled * 2,
                                   .deallocated_bytes = handled * 24,
                                   .deallocated_objects = handled}));
}

TEST(Signals, OfATimerThatInterruptsCountingAndChangesOfGroupLoseNothing) {
  const HandlerInstalled installed(SIGALRM);
  const ResourceGroupToken outer = fresh_group("outer");
  const ResourceGroupToken inner = fresh_group("inner");
  Counted counted;
  constexpr itimerval kEvery{.it_interval = {.tv_sec = 0, .tv_usec = 50}, .it_value = {.tv_sec = 0, .tv_usec = 50}};
  ASSERT_EQ(setitimer(ITIMER_REAL, &kEvery, nullptr), 0);
  while (handled < 3'000) count_once(outer, inner, counted);
  constexpr itimerval kNever{};
  ASSERT_EQ(setitimer(ITIMER_REAL, &kNever, nullptr), 0);
  EXPECT_EQ(ResourceGroupToken::current(), ResourceGroupToken::root());
  expect_exact(outer, inner, counted);
}

TEST(Signals, ThatAnotherThreadSendsAsFastAsItCanLoseNothing) {
  const HandlerInstalled installed(SIGUSR1);
  const ResourceGroupToken outer = fresh_group("outer");
  const ResourceGroupToken inner = fresh_group("inner");
  Counted counted;
  const pthread_t target = pthread_self();
  std::atomic<bool> stop{false};
  std::thread sender([&] {
    // One at a time: a flood would leave the target nothing to be interrupted in.
    while (!stop) {
      const std::uint64_t before = handled;
      pthread_kill(target, SIGUSR1);
      while (handled == before && !stop) std::this_thread::yield();
    }
  });
  const std::uint64_t wanted = testing::kSanitized ? 1'000 : 3'000;
  while (handled < wanted) count_once(outer, inner, counted);
  stop = true;
  sender.join();
  expect_exact(outer, inner, counted);
}

TEST(Signals, ThatComeWhileAThreadOpensOrClosesItsBooksLoseNothing) {
  const HandlerInstalled installed(SIGUSR2);
  const ResourceStatsSnapshot before = ResourceGroupRegistry::global().totals();
  const ResourceGroupToken token = fresh_group("opening");
  constexpr std::uint64_t kThreads = 100;
  for (std::uint64_t i = 0; i < kThreads; ++i) {
    std::atomic<bool> done{false};
    std::thread target([&] {
      const ResourceTrackingGuard guard = token.enter();
      groups::charge_allocation(3);
      done = true;
    });
    while (!done) pthread_kill(target.native_handle(), SIGUSR2);
    for (int late = 0; late < 5; ++late) pthread_kill(target.native_handle(), SIGUSR2);
    target.join();
  }
  const ResourceStatsSnapshot counted = since(ResourceGroupRegistry::global().totals(), before);
  EXPECT_GT(handled, 0U);
  EXPECT_EQ(without_cpu(token.stats().totals()),
            with_handler({.allocated_bytes = 3 * kThreads, .allocated_objects = kThreads}, token));
  // Where the thread has no books of its own, the handler's guards do nothing and it is `root` that is charged.
  EXPECT_EQ(counted.allocated_objects, kThreads + 3 * handled);
  EXPECT_EQ(counted.allocated_bytes, 3 * kThreads + (1'024 + kInterruptedBytes) * handled);
  EXPECT_EQ(counted.deallocated_bytes, (24 + kInterruptedBytes) * handled);
}

}  // namespace
}  // namespace bursar
