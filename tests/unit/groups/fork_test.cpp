// A child's books are the parent's at the instant of the fork, but for the CPU time, which begins again.

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <bursar/groups/group_presence.h>
#include <bursar/groups/resource_group_registry.h>
#include <bursar/groups/thread_account.h>
#include <gtest/gtest.h>

#include "unit/cpu/burn_cpu.h"
#include "unit/groups/child_process.h"
#include "unit/groups/registry_probe.h"

namespace bursar {
namespace {

using testing::burn_cpu;
using testing::expect_success;
using testing::fresh_group;
using testing::fresh_name;
using testing::kMillisecond;
using testing::number_is_used_again;
using testing::run_in_child;
using testing::visited_figures;
using testing::without_cpu;

ResourceGroupRegistry& registry() {
  return ResourceGroupRegistry::global();
}

TEST(Fork, TheChildsBooksAreTheParentsAtTheFork) {
  std::vector<ResourceGroupToken> tokens;
  for (std::uint64_t i = 0; i < 300; ++i) {
    tokens.push_back(fresh_group("forked"));
    const ResourceTrackingGuard guard = tokens.back().enter();
    groups::charge_allocation(100 + i);
    if (i % 3 == 0) groups::charge_release(tokens.back().index(), 100 + i);
    if (i % 7 == 0) registry().retire(tokens.back());
  }
  std::map<std::string, ResourceStatsSnapshot> parents = visited_figures();
  const ResourceStatsSnapshot totals = registry().totals();
  const ResourceStatsSnapshot retired = registry().retired_totals();
  expect_success(run_in_child([&] {
    std::map<std::string, ResourceStatsSnapshot> childs = visited_figures();
    ASSERT_EQ(childs.size(), parents.size());
    for (const auto& [name, figures] : parents) {
      EXPECT_EQ(without_cpu(childs[name]), without_cpu(figures)) << name;
    }
    EXPECT_EQ(without_cpu(registry().totals()), without_cpu(totals));
    EXPECT_EQ(without_cpu(registry().retired_totals()), without_cpu(retired));
  }));
}

TEST(Fork, TheChildsCpuTimeStartsFromNothing) {
  const ResourceGroupToken before = fresh_group("burnt_before");
  const ResourceGroupToken gone = fresh_group("gone");
  for (const ResourceGroupToken token : {before, gone}) {
    const ResourceTrackingGuard guard = token.enter();
    burn_cpu(20 * kMillisecond);
  }
  std::thread([&] {
    const ResourceTrackingGuard guard = before.enter();
    burn_cpu(20 * kMillisecond);
  }).join();
  registry().retire(gone);
  ASSERT_TRUE(number_is_used_again(gone));
  ASSERT_GE(registry().retired_totals().cpu_time_nanos, 20 * kMillisecond);
  const ResourceGroupToken open = fresh_group("open");
  const ResourceTrackingGuard guard = open.enter();
  burn_cpu(20 * kMillisecond);
  expect_success(run_in_child([&] {
    EXPECT_EQ(ResourceGroupToken::current(), open);
    EXPECT_EQ(before.stats().totals().cpu_time_nanos, 0U);
    EXPECT_EQ(registry().retired_totals().cpu_time_nanos, 0U);
    for (const auto& [name, figures] : visited_figures()) {
      const std::uint64_t of_the_process = cpu::process_cpu_nanos();
      EXPECT_LE(figures.cpu_time_nanos, of_the_process) << name;
    }
    const std::uint64_t in_child = open.stats().totals().cpu_time_nanos;
    const std::uint64_t burnt = burn_cpu(5 * kMillisecond);
    EXPECT_GE(open.stats().totals().cpu_time_nanos, in_child + burnt);
    const std::uint64_t all_groups = registry().totals().cpu_time_nanos;
    EXPECT_LE(all_groups, cpu::process_cpu_nanos());
    EXPECT_GE(all_groups, burnt);
  }));
}

TEST(Fork, TheChildMayRegisterEnterChargeAndRetire) {
  const std::string known = fresh_name("known");
  const ResourceGroupToken token = registry().register_resource_group(known);
  expect_success(run_in_child([&] {
    EXPECT_EQ(registry().register_resource_group(known), token);
    const ResourceGroupToken own = registry().register_resource_group("only.in.the.child");
    {
      const ResourceTrackingGuard guard = own.enter();
      groups::charge_allocation(12);
    }
    groups::charge_release(own.index(), 12);
    EXPECT_EQ(own.stats().totals().allocated_bytes, 12U);
    EXPECT_TRUE(registry().retire(own));
    EXPECT_TRUE(number_is_used_again(own));
  }));
  EXPECT_FALSE(visited_figures().contains("only.in.the.child"));
}

TEST(Fork, AGrandchildsBooksAreRightToo) {
  const ResourceGroupToken token = fresh_group("generations");
  const ResourceTrackingGuard guard = token.enter();
  groups::charge_allocation(1);
  expect_success(run_in_child([&] {
    groups::charge_allocation(10);
    expect_success(run_in_child([&] {
      groups::charge_allocation(100);
      EXPECT_EQ(token.stats().totals().allocated_bytes, 111U);
    }));
    EXPECT_EQ(token.stats().totals().allocated_bytes, 11U);
  }));
  EXPECT_EQ(token.stats().totals().allocated_bytes, 1U);
}

TEST(Fork, AChildOfAnotherThreadThanTheFirstGoesOnInItsGroup) {
  const ResourceGroupToken token = fresh_group("of_a_thread");
  std::thread([&] {
    const ResourceTrackingGuard guard = token.enter();
    groups::charge_allocation(4);
    expect_success(run_in_child([&] {
      EXPECT_EQ(ResourceGroupToken::current(), token);
      EXPECT_EQ(groups::charge_allocation(8), token.index());
      EXPECT_EQ(token.stats().totals().allocated_bytes, 12U);
      const std::uint64_t before = token.stats().totals().cpu_time_nanos;
      const std::uint64_t burnt = burn_cpu(2 * kMillisecond);
      EXPECT_GE(token.stats().totals().cpu_time_nanos - before, burnt);
    }));
  }).join();
}

// What a thread that goes on counting while another forks says of itself: an operation is begun, then done.
struct alignas(64) Worker {
  ResourceGroupToken token;
  std::atomic<std::uint64_t> allocations_begun{0};
  std::atomic<std::uint64_t> allocations_done{0};
  std::atomic<std::uint64_t> releases_begun{0};
  std::atomic<std::uint64_t> releases_done{0};
};
constexpr std::uint64_t kBlockBytes = 40;

void count_until(Worker& worker, const std::atomic<bool>& stop) {
  // Not in the group: neighbours would let its number go. In and out all the time, so that forks catch changes too.
  while (!stop.load(std::memory_order_relaxed)) {
    const ResourceTrackingGuard guard = worker.token.enter();
    for (int i = 0; i < 50; ++i) {
      worker.allocations_begun.fetch_add(1);
      groups::charge_allocation(kBlockBytes);
      worker.allocations_done.fetch_add(1);
      if (i % 5 == 4) continue;
      worker.releases_begun.fetch_add(1);
      groups::charge_release(worker.token.index(), kBlockBytes);
      worker.releases_done.fetch_add(1);
    }
  }
}

// Ends the child without a destructor or an allocation, since other threads may have held any lock at the fork.
int check_in_child(const std::vector<std::unique_ptr<Worker>>& workers) noexcept {
  for (const auto& worker : workers) {
    const ResourceStatsSnapshot figures = worker->token.stats().totals();
    if (figures.deallocated_bytes > figures.allocated_bytes) return 2;
    if (figures.deallocated_objects > figures.allocated_objects) return 3;
    if (figures.allocated_objects < worker->allocations_done || figures.allocated_objects > worker->allocations_begun)
      return 4;
    if (figures.deallocated_objects < worker->releases_done || figures.deallocated_objects > worker->releases_begun)
      return 5;
    // Bytes and objects are counted one after the other.
    if (figures.allocated_bytes != figures.allocated_objects * kBlockBytes &&
        figures.allocated_bytes != (figures.allocated_objects + 1) * kBlockBytes)
      return 6;
    if (figures.cpu_time_nanos != 0) return 7;
  }
  const ResourceGroupToken token = registry().register_resource_group("registered.in.a.busy.child");
  if (token == ResourceGroupToken::root()) return 8;
  {
    const ResourceTrackingGuard guard = token.enter();
    groups::charge_allocation(3);
  }
  if (token.stats().totals().allocated_bytes != 3) return 9;
  // The table of names is whole, whatever the other threads were doing to it.
  char name[] = "child.a.a";
  for (char one = 'a'; one <= 'z'; ++one) {
    for (char two = 'a'; two <= 'z'; ++two) {
      name[6] = one;
      name[8] = two;
      const ResourceGroupToken next = registry().register_resource_group(name);
      if (next.name() != name || registry().register_resource_group(name) != next) return 10;
      if (!registry().retire(next)) return 11;
    }
  }
  bool shown = false;
  registry().visit_resource_groups([&](std::string_view visited, const ResourceStats& stats) {
    shown = shown || (visited == "registered.in.a.busy.child" && stats.totals().allocated_bytes == 3);
  });
  return shown ? 0 : 12;
}

TEST(Fork, WhileOtherThreadsCountTheChildsBooksAreRightUpToTheOperationInFlight) {
  std::vector<std::unique_ptr<Worker>> workers;
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    workers.push_back(std::make_unique<Worker>());
    workers.back()->token = fresh_group("busy");
    threads.emplace_back([&stop, worker = workers.back().get()] { count_until(*worker, stop); });
  }
  // One that registers and retires, so that the table's lock is often held.
  threads.emplace_back([&] {
    for (int i = 0; !stop; ++i) {
      registry().retire(registry().register_resource_group("passing." + std::to_string(i % 1'000)));
    }
  });
  for (const auto& worker : workers) {
    while (worker->allocations_done == 0) std::this_thread::yield();
  }
  std::map<int, int> outcomes;
  for (int i = 0; i < 150; ++i) {
    const pid_t child = fork();
    if (child == 0) _exit(check_in_child(workers));
    int status = 0;
    waitpid(child, &status, 0);
    ++outcomes[WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status)];
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(outcomes, (std::map<int, int>{{0, 150}})) << "the keys are check_in_child's codes, or signals";
}

TEST(Fork, BlocksThatPassFromThreadToThreadAreNeverReleasedBeforeTheyWereAllocatedInAChildsBooks) {
  const ResourceGroupToken token = fresh_group("passed_on");
  std::atomic<bool> full{false};
  std::atomic<bool> stop{false};
  std::thread producer([&] {
    const ResourceTrackingGuard guard = token.enter();
    while (!stop) {
      if (full.load(std::memory_order_acquire)) continue;
      groups::charge_allocation(kBlockBytes);
      full.store(true, std::memory_order_release);
    }
  });
  std::thread consumer([&] {
    while (!stop) {
      if (!full.load(std::memory_order_acquire)) continue;
      groups::charge_release(token.index(), kBlockBytes);
      full.store(false, std::memory_order_release);
    }
  });
  int wrong = 0;
  for (int i = 0; i < 200; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      const ResourceStatsSnapshot figures = token.stats().totals();
      _exit(figures.deallocated_bytes <= figures.allocated_bytes &&
                    figures.deallocated_objects <= figures.allocated_objects &&
                    figures.allocated_objects - figures.deallocated_objects <= 1
                ? 0
                : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    wrong += status == 0 ? 0 : 1;
  }
  stop = true;
  producer.join();
  consumer.join();
  EXPECT_EQ(wrong, 0);
}

TEST(Fork, TheParentGoesOnAsIfNothingHadBeen) {
  const ResourceGroupToken token = fresh_group("parent");
  {
    const ResourceTrackingGuard guard = token.enter();
    burn_cpu(2 * kMillisecond);
    expect_success(run_in_child([&] { groups::charge_allocation(99); }));
    groups::charge_allocation(1);
  }
  EXPECT_EQ(token.stats().totals().allocated_bytes, 1U);
  EXPECT_GE(token.stats().totals().cpu_time_nanos, 2 * kMillisecond);
}

#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
TEST(Fork, WithoutItsHandlersNoTimeIsInvented) {
  const ResourceGroupToken token = fresh_group("bare_fork");
  burn_cpu(30 * kMillisecond);
  {
    const ResourceTrackingGuard guard = token.enter();
  }
  const std::uint64_t parents = token.stats().totals().cpu_time_nanos;
  const pid_t child = _Fork();
  if (child == 0) {
    {
      const ResourceTrackingGuard guard = token.enter();
    }
    _exit(token.stats().totals().cpu_time_nanos <= parents + 30 * kMillisecond ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}
#endif

}  // namespace
}  // namespace bursar
