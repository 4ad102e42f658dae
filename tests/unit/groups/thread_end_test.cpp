// Threads that come and go: their books are kept, whatever they count and however late.

#include <pthread.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include <bursar/groups/group_presence.h>
#include <bursar/groups/resource_group_registry.h>
#include <bursar/groups/thread_account.h>
#include <gtest/gtest.h>

#include "unit/groups/child_process.h"
#include "unit/groups/process_size.h"
#include "unit/groups/registry_probe.h"

namespace bursar {
namespace {

using testing::expect_success;
using testing::fresh_group;
using testing::run_in_child;
using testing::since;
using testing::without_cpu;

ResourceGroupRegistry& registry() {
  return ResourceGroupRegistry::global();
}

TEST(ThreadEnd, WhatTheThreadCountedStays) {
  const ResourceGroupToken token = fresh_group();
  for (std::uint64_t i = 1; i <= 10; ++i) {
    std::thread([&] {
      const ResourceTrackingGuard guard = token.enter();
      groups::charge_allocation(i);
    }).join();
  }
  EXPECT_EQ(without_cpu(token.stats().totals()),
            (ResourceStatsSnapshot{.allocated_bytes = 55, .allocated_objects = 10}));
}

TEST(ThreadEnd, TenThousandThreadsUseTheSameBooks) {
  constexpr std::uint64_t kThreads = 10'000;
  const ResourceGroupToken token = fresh_group("threads");
  testing::ProcessSize warm;
  for (std::uint64_t i = 0; i < kThreads; i += 2) {
    if (i == kThreads / 10) warm = testing::process_size();
    const auto count = [&] {
      const ResourceTrackingGuard guard = token.enter();
      groups::charge_allocation(16);
    };
    std::thread one(count);
    std::thread two(count);
    one.join();
    two.join();
  }
  const testing::ProcessSize last = testing::process_size();
  EXPECT_EQ(without_cpu(token.stats().totals()),
            (ResourceStatsSnapshot{.allocated_bytes = 16 * kThreads, .allocated_objects = kThreads}));
  if (!testing::kSanitized) {
    EXPECT_LE(last.resident_bytes, warm.resident_bytes + (std::uint64_t{1} << 20));
    EXPECT_LE(last.mapped_bytes, warm.mapped_bytes + (std::uint64_t{256} << 20))
        << "an account is four megabytes of address space; an arena of malloc may be 64";
  }
}

TEST(ThreadEnd, ANewThreadStartsInRootWhateverTheEarlierOwnerOfItsBooksWasIn) {
  const ResourceGroupToken token = fresh_group();
  // Never ended, hence never destroyed.
  alignas(ResourceTrackingGuard) std::byte abandoned[sizeof(ResourceTrackingGuard)];
  std::thread([&] { ::new (abandoned) ResourceTrackingGuard(token); }).join();
  for (int i = 0; i < 3; ++i) {
    std::thread([&] {
      EXPECT_EQ(ResourceGroupToken::current(), ResourceGroupToken::root());
      EXPECT_EQ(groups::charge_allocation(1), groups::kRootIndex);
      groups::charge_release(groups::kRootIndex, 1);
      const ResourceTrackingGuard guard = token.enter();
      EXPECT_EQ(ResourceGroupToken::current(), token);
    }).join();
  }
}

std::atomic<ResourceGroupToken> late_group;
static_assert(std::atomic<ResourceGroupToken>::is_always_lock_free);

struct CountsInItsDestructor {
  std::uint64_t bytes = 0;
  ~CountsInItsDestructor() {
    if (bytes == 0) return;
    const ResourceTrackingGuard guard = late_group.load().enter();
    groups::charge_allocation(bytes);
  }
};
thread_local CountsInItsDestructor thread_local_one;
thread_local CountsInItsDestructor thread_local_two;

TEST(ThreadEnd, DestructorsOfThreadLocalsCountInTheirGroups) {
  const ResourceGroupToken token = fresh_group("thread_local");
  late_group = token;
  std::thread([] {
    thread_local_one.bytes = 100;
    groups::charge_release(groups::charge_allocation(1), 1);
    thread_local_two.bytes = 11;
  }).join();
  // A thread whose destructors are the first to count.
  std::thread([] { thread_local_one.bytes = 1'000; }).join();
  EXPECT_EQ(without_cpu(token.stats().totals()),
            (ResourceStatsSnapshot{.allocated_bytes = 1'111, .allocated_objects = 3}));
}

// Destructors of other libraries' keys. Each comes back in every round that there is, and counts each time.
constexpr std::size_t kKeys = 5;
std::array<pthread_key_t, kKeys> keys;
std::atomic<std::uint64_t> late_calls{0};
std::atomic<std::uint64_t> late_calls_outside_the_group{0};

template <std::size_t Key>
void count_late(void* value) {
  {
    const ResourceTrackingGuard guard = late_group.load().enter();
    if (groups::charge_allocation(10) != late_group.load().index()) ++late_calls_outside_the_group;
    groups::charge_allocation(10);
  }
  ++late_calls;
  pthread_setspecific(keys[Key], value);
}

TEST(ThreadEnd, DestructorsOfOtherLibrariesKeysAreCountedInWhateverRoundTheyRun) {
  ASSERT_EQ(pthread_key_create(&keys[0], count_late<0>), 0);
  ASSERT_EQ(pthread_key_create(&keys[1], count_late<1>), 0);
  ASSERT_EQ(pthread_key_create(&keys[2], count_late<2>), 0);
  ASSERT_EQ(pthread_key_create(&keys[3], count_late<3>), 0);
  ASSERT_EQ(pthread_key_create(&keys[4], count_late<4>), 0);
  const ResourceGroupToken token = fresh_group("late_key");
  late_group = token;
  const ResourceStatsSnapshot before = registry().totals();
  const bool first_use[] = {true, false};
  for (const bool uses_before : first_use) {
    std::thread([&] {
      if (uses_before) groups::charge_release(groups::charge_allocation(1), 1);
      for (const pthread_key_t key : keys) pthread_setspecific(key, &late_calls);
    }).join();
  }
  for (const pthread_key_t key : keys) pthread_key_delete(key);
  const ResourceStatsSnapshot counted = since(registry().totals(), before);
  EXPECT_GE(late_calls, 2 * kKeys * 4U) << "glibc runs four rounds";
  EXPECT_EQ(counted.allocated_objects, 2 * late_calls + 1);
  EXPECT_EQ(counted.allocated_bytes, 20 * late_calls + 1);
  EXPECT_EQ(counted.deallocated_objects, 1U);
  // The account is closed in the last round (under ThreadSanitizer in the first); only what comes after that is root's.
  if (!testing::kSanitized) {
    EXPECT_LE(late_calls_outside_the_group, kKeys * 2);
  }
  EXPECT_EQ(token.stats().totals().allocated_objects, 2 * (late_calls - late_calls_outside_the_group));
}

TEST(ThreadEnd, ThreadsThatFirstCountInTheirLastMomentsDoNotUseUpBooks) {
  pthread_key_t key{};
  ASSERT_EQ(pthread_key_create(&key, [](void*) { groups::charge_release(groups::charge_allocation(1), 1); }), 0);
  testing::ProcessSize warm;
  for (int i = 0; i < 300; ++i) {
    if (i == 20) warm = testing::process_size();
    std::thread([&] { pthread_setspecific(key, &key); }).join();
  }
  pthread_key_delete(key);
  if (!testing::kSanitized) {
    EXPECT_LE(testing::process_size().mapped_bytes, warm.mapped_bytes + (std::uint64_t{256} << 20));
  }
}

// Destroyed after `main`: counts, and ends the child with what it found.
struct StaticProbe {
  bool armed = false;
  std::uint64_t charged_before = 0;
  ~StaticProbe() {
    if (!armed) return;
    const ResourceGroupToken token = late_group.load();
    {
      const ResourceTrackingGuard guard = token.enter();
      groups::charge_allocation(5);
    }
    bool shown = false;
    registry().visit_resource_groups([&](std::string_view, const ResourceStats& stats) {
      shown = shown || (stats.totals().allocated_bytes == charged_before + 5 && stats.totals().allocated_objects == 2);
    });
    const ResourceGroupToken late = registry().register_resource_group("after.main");
    _exit(shown && token.stats().totals().live_bytes() == charged_before + 5 && late.name() == "after.main" ? 0 : 1);
  }
};
StaticProbe static_probe;

TEST(ProcessEnd, DestructorsOfStaticsCountInTheirGroups) {
  expect_success(run_in_child([] {
    const ResourceGroupToken token = fresh_group("static");
    late_group = token;
    {
      const ResourceTrackingGuard guard = token.enter();
      groups::charge_allocation(7'000'001);
    }
    static_probe.charged_before = 7'000'001;
    static_probe.armed = true;
    std::exit(2);  // the probe decides
  }));
}

// Constructed before `main`, before whatever else this file holds.
struct CountsInItsConstructor {
  ResourceGroupToken token = registry().register_resource_group("before.main");
  CountsInItsConstructor() {
    const ResourceTrackingGuard guard = token.enter();
    groups::charge_allocation(321);
  }
};
[[gnu::init_priority(102)]] CountsInItsConstructor counted_before_main;

TEST(ProcessStart, ConstructorsOfStaticsCountInTheirGroups) {
  EXPECT_EQ(counted_before_main.token.name(), "before.main");
  EXPECT_EQ(without_cpu(counted_before_main.token.stats().totals()),
            (ResourceStatsSnapshot{.allocated_bytes = 321, .allocated_objects = 1}));
}

}  // namespace
}  // namespace bursar
