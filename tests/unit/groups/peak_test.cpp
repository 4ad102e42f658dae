// The highest live bytes of a group: never more than there really were, and less by no more than the documented step.

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <semaphore>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <bursar/groups/group_presence.h>
#include <bursar/groups/resource_group_registry.h>
#include <bursar/groups/thread_account.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "unit/groups/registry_probe.h"

namespace bursar {
namespace {

using testing::fresh_group;

constexpr std::uint64_t kSmallestStepBytes = std::uint64_t{16} << 10;
constexpr std::uint64_t kShare = 128;

// By how much the peak may be underestimated in a group that `threads` threads allocate for.
constexpr std::uint64_t tolerance_bytes(std::uint64_t peak, std::uint64_t threads) {
  return std::max(threads * kSmallestStepBytes, peak / kShare);
}

// A thread that does what it is told, and has done it when `run` returns.
class ObedientThread {
 public:
  ~ObedientThread() {
    run([this] { done_ = true; });
    thread_.join();
  }
  ObedientThread() = default;
  ObedientThread(const ObedientThread&) = delete;
  ObedientThread& operator=(const ObedientThread&) = delete;

  void run(std::function<void()> task) {
    task_ = std::move(task);
    begin_.release();
    end_.acquire();
  }

 private:
  void obey() {
    while (!done_) {
      begin_.acquire();
      task_();
      end_.release();
    }
  }

  std::binary_semaphore begin_{0};
  std::binary_semaphore end_{0};
  std::function<void()> task_;
  bool done_ = false;
  std::thread thread_{[this] { obey(); }};
};

TEST(Peak, IsNothingForAGroupThatNeverAllocated) {
  EXPECT_EQ(fresh_group().peak_live_bytes(), 0U);
}

TEST(Peak, AskedForAtTheTopIsExact) {
  const ResourceGroupToken token = fresh_group();
  const ResourceTrackingGuard guard = token.enter();
  groups::charge_allocation(100);
  groups::charge_allocation(23);
  EXPECT_EQ(token.peak_live_bytes(), 123U);
  groups::charge_release(token.index(), 100);
  EXPECT_EQ(token.peak_live_bytes(), 123U);
  groups::charge_allocation(50);
  EXPECT_EQ(token.peak_live_bytes(), 123U);
  groups::charge_allocation(51);
  EXPECT_EQ(token.peak_live_bytes(), 124U);
  groups::charge_release(token.index(), 23);
  groups::charge_release(token.index(), 50);
  groups::charge_release(token.index(), 51);
}

TEST(Peak, OfOneBlockThatIsReleasedAtOnceIsSeen) {
  const ResourceGroupToken token = fresh_group();
  const ResourceTrackingGuard guard = token.enter();
  groups::charge_allocation(1);
  groups::charge_allocation(kSmallestStepBytes);
  groups::charge_release(token.index(), kSmallestStepBytes);
  EXPECT_EQ(token.peak_live_bytes(), 1 + kSmallestStepBytes);
  groups::charge_release(token.index(), 1);
}

TEST(Peak, OfManySmallBlocksIsSeenWithinAStepWithoutAsking) {
  const ResourceGroupToken token = fresh_group();
  const ResourceTrackingGuard guard = token.enter();
  constexpr std::uint64_t kBlocks = 100'000;
  constexpr std::uint64_t kBytes = 48;
  for (std::uint64_t i = 0; i < kBlocks; ++i) groups::charge_allocation(kBytes);
  for (std::uint64_t i = 0; i < kBlocks; ++i) groups::charge_release(token.index(), kBytes);
  const std::uint64_t peak = token.peak_live_bytes();
  EXPECT_LE(peak, kBlocks * kBytes);
  EXPECT_GT(peak + kBlocks * kBytes / kShare, kBlocks * kBytes);
}

TEST(Peak, OfASecondRiseBelowTheFirstChangesNothing) {
  const ResourceGroupToken token = fresh_group();
  const ResourceTrackingGuard guard = token.enter();
  for (const std::uint64_t rise : {1'000'000U, 999'999U, 500'000U}) {
    groups::charge_allocation(rise);
    groups::charge_release(token.index(), rise);
    EXPECT_EQ(token.peak_live_bytes(), 1'000'000U);
  }
}

RC_GTEST_PROP(PeakLaws, IsWithinTheDocumentedStepForAnyHistoryOfOneThread, (const std::vector<std::uint32_t>& seeds)) {
  const ResourceGroupToken token = fresh_group("peak_law");
  std::uint64_t live = 0;
  std::uint64_t highest = 0;
  {
    const ResourceTrackingGuard guard = token.enter();
    std::vector<std::uint64_t> blocks;
    std::minstd_rand random(1);
    for (const std::uint32_t seed : seeds) {
      random.seed(seed + 1);
      for (int i = 0; i < 50; ++i) {
        if (random() % 5 < 3 || blocks.empty()) {
          blocks.push_back(std::uint64_t{1} << (random() % 20));
          groups::charge_allocation(blocks.back());
          live += blocks.back();
          highest = std::max(highest, live);
        } else {
          const std::size_t which = random() % blocks.size();
          groups::charge_release(token.index(), blocks[which]);
          live -= blocks[which];
          blocks[which] = blocks.back();
          blocks.pop_back();
        }
      }
    }
    for (const std::uint64_t bytes : blocks) groups::charge_release(token.index(), bytes);
  }
  const std::uint64_t peak = token.peak_live_bytes();
  RC_ASSERT(peak <= highest);
  RC_ASSERT(highest - peak <= tolerance_bytes(highest, 1));
  ResourceGroupRegistry::global().retire(token);
}

RC_GTEST_PROP(PeakLaws, IsWithinTheDocumentedStepsForAnyHistoryOfSeveralThreads,
              (const std::vector<std::uint32_t>& seeds)) {
  constexpr std::uint64_t kThreads = 3;
  const ResourceGroupToken token = fresh_group("peak_law_of_threads");
  std::uint64_t live = 0;
  std::uint64_t highest = 0;
  {
    std::array<ObedientThread, kThreads> threads;
    std::array<std::optional<ResourceTrackingGuard>, kThreads> guards;
    for (std::size_t t = 0; t < kThreads; ++t) threads[t].run([&] { guards[t].emplace(token); });
    std::vector<std::uint64_t> blocks;
    std::minstd_rand random(1);
    for (const std::uint32_t seed : seeds) {
      random.seed(seed + 1);
      // One thread rises or falls for a while, also by what others allocated; then another does.
      const bool rises = random() % 5 < 3;
      threads[random() % kThreads].run([&] {
        for (int i = 0; i < 30; ++i) {
          if (rises) {
            blocks.push_back(std::uint64_t{1} << (random() % 16));
            groups::charge_allocation(blocks.back());
            live += blocks.back();
            highest = std::max(highest, live);
          } else if (!blocks.empty()) {
            std::swap(blocks[random() % blocks.size()], blocks.back());
            groups::charge_release(token.index(), blocks.back());
            live -= blocks.back();
            blocks.pop_back();
          }
        }
      });
    }
    threads[0].run([&] {
      for (const std::uint64_t bytes : blocks) groups::charge_release(token.index(), bytes);
    });
    for (std::size_t t = 0; t < kThreads; ++t) threads[t].run([&] { guards[t].reset(); });
  }
  const std::uint64_t peak = token.peak_live_bytes();
  RC_ASSERT(peak <= highest);
  RC_ASSERT(highest - peak <= tolerance_bytes(highest, kThreads));
  ResourceGroupRegistry::global().retire(token);
}

TEST(Peak, OfSeveralThreadsThatRiseTogetherIsWithinTheirSteps) {
  constexpr std::uint64_t kThreads = 4;
  constexpr std::uint64_t kBlocks = 50'000;
  constexpr std::uint64_t kBytes = 64;
  const ResourceGroupToken token = fresh_group("several");
  std::atomic<std::uint64_t> risen{0};
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      const ResourceTrackingGuard guard = token.enter();
      for (std::uint64_t i = 0; i < kBlocks; ++i) groups::charge_allocation(kBytes);
      ++risen;
      while (risen != kThreads) std::this_thread::yield();
      for (std::uint64_t i = 0; i < kBlocks; ++i) groups::charge_release(token.index(), kBytes);
    });
  }
  for (std::thread& thread : threads) thread.join();
  constexpr std::uint64_t kHighest = kThreads * kBlocks * kBytes;
  const std::uint64_t peak = token.peak_live_bytes();
  EXPECT_LE(peak, kHighest);
  EXPECT_LE(kHighest - peak, tolerance_bytes(kHighest, kThreads));
}

TEST(Peak, IsNeverMoreThanWasLiveWhileBlocksChangeThreads) {
  // No more than two blocks are ever live: a thread takes from a budget before it allocates, and gives back only after
  // it has released.
  constexpr int kBudget = 2;
  constexpr std::uint64_t kBytes = std::uint64_t{32} << 10;  // more than a step, so that each allocation is looked at
  const ResourceGroupToken token = fresh_group("budget");
  std::atomic<int> budget{kBudget};
  std::atomic<bool> stop{false};
  std::thread reader([&] {
    while (!stop) static_cast<void>(token.peak_live_bytes());
  });
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      const ResourceTrackingGuard guard = token.enter();
      for (int i = 0; i < 5'000; ++i) {
        int left = budget.load();
        while (left == 0 || !budget.compare_exchange_weak(left, left - 1)) {
          if (left == 0) {
            std::this_thread::yield();
            left = budget.load();
          }
        }
        groups::charge_allocation(kBytes);
        groups::charge_release(token.index(), kBytes);
        budget.fetch_add(1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  stop = true;
  reader.join();
  EXPECT_LE(token.peak_live_bytes(), kBudget * kBytes);
  EXPECT_GE(token.peak_live_bytes(), kBytes);
}

TEST(Peak, OfAGroupWithANumberThatABigOneHadBeforeIsWithinAStepToo) {
  constexpr std::uint64_t kBig = std::uint64_t{1} << 30;
  constexpr std::uint64_t kRise = std::uint64_t{4} << 20;
  const ResourceGroupToken big = fresh_group("big");
  {
    const ResourceTrackingGuard guard = big.enter();
    groups::charge_allocation(kBig);
  }
  groups::charge_release(big.index(), kBig);
  ResourceGroupRegistry::global().retire(big);
  std::string name;
  const std::optional<ResourceGroupToken> heir = testing::next_with_the_number_of(big, name);
  ASSERT_TRUE(heir.has_value());
  {
    const ResourceTrackingGuard guard = heir->enter();
    for (int i = 0; i < 64; ++i) groups::charge_allocation(kRise / 64);
    for (int i = 0; i < 64; ++i) groups::charge_release(heir->index(), kRise / 64);
  }
  EXPECT_GE(heir->peak_live_bytes() + tolerance_bytes(kRise, 1), kRise);
}

}  // namespace
}  // namespace bursar
