// What only a process as a whole can show: its start, its threads, its libraries, its sums.

#include <dlfcn.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory_resource>
#include <string>
#include <thread>
#include <vector>

#include <bursar/alloc/tracking_resource.h>
#include <bursar/alloc/transfer.h>
#include <bursar/cpu/thread_clock.h>
#include <bursar/groups/resource_group_registry.h>
#include <gtest/gtest.h>

#include "unit/cpu/burn_cpu.h"
#include "unit/groups/child_process.h"
#include "unit/groups/registry_probe.h"
#include "unit/interpose/escape.h"
#include "unit/interpose/upstream.h"

namespace bursar {
namespace {

using testing::books_bytes;
using testing::burn_cpu;
using testing::escape;
using testing::expect_success;
using testing::fresh_group;
using testing::kMillisecond;

// Before `main`, and before whatever else is constructed.
struct AllocatesBeforeMain {
  ResourceGroupToken token = ResourceGroupRegistry::global().register_resource_group("before.main");
  void* block = nullptr;
  AllocatesBeforeMain() {
    const ResourceTrackingGuard guard = token.enter();
    block = escape(std::malloc(777));
  }
};
[[gnu::init_priority(102)]] AllocatesBeforeMain before_main;

TEST(ProcessStart, AllocationsBeforeMainAreCharged) {
  EXPECT_EQ(before_main.token.stats().totals().live_bytes(), books_bytes(before_main.block));
  std::free(before_main.block);
  EXPECT_EQ(before_main.token.stats().totals().live_bytes(), 0U);
  before_main.block = nullptr;
}

TEST(Transfer, MovesABlockOfMallocAndOfNewToItsHeir) {
  const ResourceGroupToken first = fresh_group("first");
  const ResourceGroupToken heir = fresh_group("heir");
  std::array<void*, 3> blocks{};
  {
    const ResourceTrackingGuard guard = first.enter();
    blocks = {escape(std::malloc(100)), escape(::operator new(50)), escape(std::malloc(300'000))};
  }
  std::uint64_t bytes = 0;
  for (void* block : blocks) {
    EXPECT_TRUE(transfer(block, heir));
    bytes += books_bytes(block);
  }
  EXPECT_EQ(first.stats().totals().live_bytes(), 0U);
  EXPECT_EQ(heir.stats().totals().live_bytes(), bytes);
  std::free(blocks[0]);
  ::operator delete(blocks[1]);
  std::free(blocks[2]);
  EXPECT_EQ(heir.stats().totals().live_bytes(), 0U);
}

TEST(TrackingResource, WhereMallocIsTrackedChargesWhatTheUpstreamAllocatesInUsableBytes) {
  const ResourceGroupToken owner = fresh_group("owner");
  const ResourceGroupToken elsewhere = fresh_group("elsewhere");
  TrackingResource resource(owner);
  void* block = nullptr;
  {
    const ResourceTrackingGuard guard = elsewhere.enter();
    block = resource.allocate(100, 8);
    EXPECT_EQ(ResourceGroupToken::current(), elsewhere);
    std::free(escape(std::malloc(10)));
  }
  EXPECT_EQ(owner.stats().totals().live_bytes(), books_bytes(block));
  EXPECT_EQ(owner.stats().totals().allocated_objects, 1U);
  EXPECT_EQ(elsewhere.stats().totals().allocated_objects, 1U);
  resource.deallocate(block, 100, 8);
  EXPECT_EQ(owner.stats().totals().live_bytes(), 0U);
  {
    std::pmr::monotonic_buffer_resource arena(4'096, &resource);
    const std::pmr::vector<std::pmr::string> strings(1'000, "long enough not to be kept inside the string", &arena);
    EXPECT_GT(owner.stats().totals().live_bytes(), 1'000U * 45);
  }
  EXPECT_EQ(owner.stats().totals().live_bytes(), 0U);
}

TEST(Libraries, WhatAnOpenedLibraryAllocatesIsCharged) {
  const ResourceGroupToken token = fresh_group("plugin");
  void* library = dlopen(BURSAR_TEST_PLUGIN, RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(library, nullptr) << dlerror();
  const auto allocate = reinterpret_cast<void* (*)(std::size_t)>(dlsym(library, "plugin_allocate"));
  const auto allocate_new = reinterpret_cast<void* (*)(std::size_t)>(dlsym(library, "plugin_new"));
  ASSERT_TRUE(allocate != nullptr && allocate_new != nullptr);
  void* one = nullptr;
  void* two = nullptr;
  {
    const ResourceTrackingGuard guard = token.enter();
    one = allocate(100);
    two = allocate_new(1'000);
  }
  EXPECT_EQ(token.stats().totals().live_bytes(), books_bytes(one) + books_bytes(two));
  EXPECT_EQ(token.stats().totals().allocated_objects, 2U);
  dlclose(library);
  std::free(one);
  ::operator delete(two);
  EXPECT_EQ(token.stats().totals().live_bytes(), 0U);
}

ResourceGroupToken key_group;

TEST(Threads, WhatDestructorsOfKeysAllocateAndReleaseIsCounted) {
  key_group = fresh_group("keys");
  pthread_key_t key{};
  // Allocates anew in each round that there is, so in the last one after the thread's account is closed.
  ASSERT_EQ(pthread_key_create(&key,
                               [](void* block) {
                                 std::free(block);
                                 void* next = nullptr;
                                 {
                                   const ResourceTrackingGuard guard = key_group.enter();
                                   next = escape(std::malloc(1'000));
                                 }
                                 std::free(next);
                               }),
            0);
  for (int i = 0; i < 50; ++i) {
    std::thread([&] {
      const ResourceTrackingGuard guard = key_group.enter();
      pthread_setspecific(key, escape(std::malloc(500)));
    }).join();
  }
  pthread_key_delete(key);
  EXPECT_EQ(key_group.stats().totals().allocated_objects, 100U);
  EXPECT_EQ(key_group.stats().totals().live_bytes(), 0U);
}

TEST(Fork, AChildAllocatesReleasesAndIsCounted) {
  const ResourceGroupToken token = fresh_group("fork");
  void* block = nullptr;
  {
    const ResourceTrackingGuard guard = token.enter();
    block = escape(std::malloc(5'000));
  }
  const std::uint64_t bytes = books_bytes(block);
  expect_success(testing::run_in_child([&] {
    EXPECT_EQ(token.stats().totals().live_bytes(), bytes);
    std::free(block);
    EXPECT_EQ(token.stats().totals().live_bytes(), 0U);
    const ResourceTrackingGuard guard = token.enter();
    void* own = escape(std::malloc(7'000));
    EXPECT_EQ(token.stats().totals().live_bytes(), books_bytes(own));
  }));
  EXPECT_EQ(token.stats().totals().live_bytes(), bytes);
  std::free(block);
}

TEST(Fork, WhileOtherThreadsAllocateChildrenNeitherHangNorSeeNegativeFigures) {
  const ResourceGroupToken token = fresh_group("busy");
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      std::array<void*, 64> blocks{};
      const ResourceTrackingGuard guard = token.enter();
      for (std::size_t i = 0; !stop; i = (i + 7) % blocks.size()) {
        std::free(blocks[i]);
        blocks[i] = escape(std::malloc(16 + i * 100));
      }
      for (void* block : blocks) std::free(block);
    });
  }
  int wrong = 0;
  for (int i = 0; i < 100; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      const ResourceStatsSnapshot figures = token.stats().totals();
      std::free(escape(std::malloc(100)));
      _exit(figures.deallocated_bytes <= figures.allocated_bytes && figures.live_objects() <= 3 * 65 ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (status != 0) ++wrong;
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(token.stats().totals().live_bytes(), 0U);
}

TEST(CpuTime, OfAllGroupsAddsUpToTheProcesssWithin1PercentOpenGuardsIncluded) {
  const ResourceGroupToken own = fresh_group("own");
  const ResourceGroupToken shared = fresh_group("shared");
  std::atomic<std::size_t> burnt{0};
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  const std::uint64_t groups_before = ResourceGroupRegistry::global().totals().cpu_time_nanos;
  const std::uint64_t process_before = cpu::process_cpu_nanos();
  for (std::size_t t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      const ResourceTrackingGuard guard = own.enter();
      burn_cpu(40 * kMillisecond);
      for (int i = 0; i < 20; ++i) {
        const ResourceTrackingGuard nested = shared.enter();
        burn_cpu(kMillisecond);
      }
      ++burnt;
      while (!stop) std::this_thread::yield();  // with the guard open
    });
  }
  burn_cpu(30 * kMillisecond);
  while (burnt != threads.size()) std::this_thread::yield();
  const std::uint64_t process_first = cpu::process_cpu_nanos() - process_before;
  const std::uint64_t groups = ResourceGroupRegistry::global().totals().cpu_time_nanos - groups_before;
  const std::uint64_t process_last = cpu::process_cpu_nanos() - process_before;
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(static_cast<double>(groups), 0.99 * static_cast<double>(process_first));
  EXPECT_LE(static_cast<double>(groups), 1.01 * static_cast<double>(process_last));
}

}  // namespace
}  // namespace bursar
