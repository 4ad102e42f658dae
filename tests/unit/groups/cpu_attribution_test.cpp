// CPU time goes to the group that the thread is in, to no other, and is seen while it runs.

#include <sched.h>
#include <time.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include <bursar/cpu/thread_clock.h>
#include <bursar/groups/resource_group_registry.h>
#include <bursar/groups/thread_account.h>
#include <gtest/gtest.h>

#include "unit/cpu/burn_cpu.h"
#include "unit/groups/process_size.h"
#include "unit/groups/registry_probe.h"

namespace bursar {
namespace {

using testing::burn_cpu;
using testing::fresh_group;
using testing::kMillisecond;

std::uint64_t cpu_of(ResourceGroupToken token) {
  return token.stats().totals().cpu_time_nanos;
}

void expect_within(std::uint64_t shown, std::uint64_t truth, double share, const char* which) {
  EXPECT_GE(static_cast<double>(shown), static_cast<double>(truth) * (1 - share)) << which;
  EXPECT_LE(static_cast<double>(shown), static_cast<double>(truth) * (1 + share)) << which;
}

TEST(CpuTime, OfThreeNestedGroupsIsExclusiveAndAddsUpToTheThreads) {
  const ResourceGroupToken outer = fresh_group("outer");
  const ResourceGroupToken middle = fresh_group("middle");
  const ResourceGroupToken inner = fresh_group("inner");
  std::uint64_t outer_truth = 0;
  std::uint64_t middle_truth = 0;
  std::uint64_t inner_truth = 0;
  std::uint64_t thread_truth = 0;
  std::thread([&] {
    const std::uint64_t begin = cpu::thread_cpu_nanos();
    {
      const ResourceTrackingGuard in_outer = outer.enter();
      outer_truth += burn_cpu(20 * kMillisecond);
      {
        const ResourceTrackingGuard in_middle = middle.enter();
        middle_truth += burn_cpu(30 * kMillisecond);
        for (int i = 0; i < 10; ++i) {
          const ResourceTrackingGuard in_inner = inner.enter();
          inner_truth += burn_cpu(5 * kMillisecond);
        }
        middle_truth += burn_cpu(10 * kMillisecond);
      }
      outer_truth += burn_cpu(20 * kMillisecond);
    }
    thread_truth = cpu::thread_cpu_nanos() - begin;
  }).join();
  expect_within(cpu_of(outer), outer_truth, 0.05, "outer");
  expect_within(cpu_of(middle), middle_truth, 0.05, "middle");
  expect_within(cpu_of(inner), inner_truth, 0.05, "inner");
  expect_within(cpu_of(outer) + cpu_of(middle) + cpu_of(inner), thread_truth, 0.01, "sum");
  EXPECT_LE(cpu_of(outer) + cpu_of(middle) + cpu_of(inner), thread_truth);
}

TEST(CpuTime, OfAnOpenScopeIsSeenByAnotherThreadWithoutItsHelp) {
  const ResourceGroupToken token = fresh_group("open");
  std::atomic<std::uint64_t> burnt{0};
  std::atomic<bool> stop{false};
  std::thread burner([&] {
    const ResourceTrackingGuard guard = token.enter();
    const std::uint64_t begin = cpu::thread_cpu_nanos();
    while (!stop) burnt.store(cpu::thread_cpu_nanos() - begin, std::memory_order_release);
  });
  std::uint64_t last = 0;
  for (const std::uint64_t mark : {1U, 5U, 10U, 20U, 40U}) {
    while (burnt.load(std::memory_order_acquire) < mark * kMillisecond) std::this_thread::yield();
    const std::uint64_t at_least = burnt.load(std::memory_order_acquire);
    const std::uint64_t shown = cpu_of(token);
    EXPECT_GE(shown, at_least);
    EXPECT_GE(shown, last);
    last = shown;
  }
  stop = true;
  burner.join();
  EXPECT_GE(cpu_of(token), last);
  EXPECT_GE(cpu_of(token), burnt);
}

TEST(CpuTime, OfAThreadThatSleepsInAGroupIsNothing) {
  const ResourceGroupToken token = fresh_group("sleeping");
  const ResourceTrackingGuard guard = token.enter();
  const timespec pause{.tv_sec = 0, .tv_nsec = 30'000'000};
  nanosleep(&pause, nullptr);
  EXPECT_LT(cpu_of(token), 10 * kMillisecond);
}

TEST(CpuTime, BeforeTheFirstGroupIsRoots) {
  const std::uint64_t before = cpu_of(ResourceGroupToken::root());
  const ResourceGroupToken token = fresh_group("first");
  std::uint64_t burnt = 0;
  std::thread([&] {
    burnt = burn_cpu(8 * kMillisecond);
    const ResourceTrackingGuard guard = token.enter();
  }).join();
  EXPECT_GE(cpu_of(ResourceGroupToken::root()) - before, burnt);
  EXPECT_LT(cpu_of(token), kMillisecond);
}

TEST(CpuTime, OfAThreadThatEndsInAGroupIsKeptAndNotCountedAgainForTheNext) {
  const ResourceGroupToken token = fresh_group("ended");
  std::uint64_t burnt = 0;
  for (int i = 0; i < 5; ++i) {
    std::thread([&] {
      const ResourceTrackingGuard guard = token.enter();
      burnt += burn_cpu(4 * kMillisecond);
    }).join();
  }
  expect_within(cpu_of(token), burnt, 0.05, "five threads");
}

TEST(CpuTime, OfManyGroupsAndThreadsAtOnceIsEachGroupsOwn) {
  constexpr std::size_t kThreads = 3;
  std::array<ResourceGroupToken, kThreads + 1> tokens;
  for (ResourceGroupToken& token : tokens) token = fresh_group("each");
  std::array<std::uint64_t, kThreads> own{};
  std::array<std::uint64_t, kThreads> shared{};
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 10; ++i) {
        const ResourceTrackingGuard guard = tokens[t].enter();
        own[t] += burn_cpu(kMillisecond * (t + 1) / 2);
        const ResourceTrackingGuard together = tokens[kThreads].enter();
        shared[t] += burn_cpu(kMillisecond / 2);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t t = 0; t < kThreads; ++t) expect_within(cpu_of(tokens[t]), own[t], 0.05, "own");
  expect_within(cpu_of(tokens[kThreads]), shared[0] + shared[1] + shared[2], 0.05, "shared");
}

TEST(CpuTime, IsNeverSeenToGoBackHoweverOftenAndWhereverTheThreadChangesGroups) {
  // More threads than processors, so that they are often stopped in the middle of a change.
  const std::size_t threads_wanted = 2 * std::thread::hardware_concurrency() + 1;
  const ResourceGroupToken a = fresh_group("a");
  const ResourceGroupToken b = fresh_group("b");
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < threads_wanted; ++t) {
    threads.emplace_back([&] {
      while (!stop) {
        const ResourceTrackingGuard in_a = a.enter();
        burn_cpu(20'000);
        const ResourceTrackingGuard in_b = b.enter();
        burn_cpu(5'000);
      }
    });
  }
  std::uint64_t went_back = 0;
  std::uint64_t furthest_nanos = 0;
  std::uint64_t last_a = 0;
  std::uint64_t last_b = 0;
  const int looks = testing::kSanitized ? 20'000 : 100'000;
  for (int i = 0; i < looks; ++i) {
    for (auto [token, last] : {std::pair(a, &last_a), std::pair(b, &last_b)}) {
      const std::uint64_t now = cpu_of(token);
      if (now < *last) {
        ++went_back;
        furthest_nanos = std::max(furthest_nanos, *last - now);
      }
      *last = now;
    }
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(went_back, 0U) << "of " << 2 * looks << " looks, by " << furthest_nanos << " ns at most";
}

}  // namespace
}  // namespace bursar
