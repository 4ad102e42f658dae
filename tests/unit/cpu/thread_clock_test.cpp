#include <bursar/cpu/thread_clock.h>

#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <bursar/cpu/clock_choice.h>
#include <gtest/gtest.h>

#include "unit/cpu/burn_cpu.h"

namespace bursar::cpu {
namespace {

using testing::burn_cpu;
using testing::kMillisecond;

TEST(ThreadCpu, GrowsByWhatTheThreadComputes) {
  const std::uint64_t before = thread_cpu_nanos();
  const std::uint64_t burnt = burn_cpu(5 * kMillisecond);
  const std::uint64_t grown = thread_cpu_nanos() - before;
  EXPECT_GE(grown, burnt);
  EXPECT_LT(grown, burnt + kMillisecond);
}

TEST(ThreadCpu, StandsStillWhileTheThreadSleeps) {
  const std::uint64_t before = thread_cpu_nanos();
  const timespec pause{.tv_sec = 0, .tv_nsec = 20'000'000};
  nanosleep(&pause, nullptr);
  EXPECT_LT(thread_cpu_nanos() - before, 10 * kMillisecond);
}

TEST(ThreadCpu, IsReadableFromAnotherThread) {
  std::atomic<pid_t> burner{0};
  std::atomic<std::uint64_t> burnt{0};
  std::atomic<bool> stop{false};
  std::thread thread([&] {
    burn_cpu(3 * kMillisecond);
    burnt = thread_cpu_nanos();
    burner = gettid();
    while (!stop) std::this_thread::yield();
  });
  while (burner == 0) std::this_thread::yield();
  const std::optional<std::uint64_t> first = thread_cpu_nanos(burner.load());
  const std::optional<std::uint64_t> second = thread_cpu_nanos(burner.load());
  stop = true;
  thread.join();
  ASSERT_TRUE(first.has_value());
  ASSERT_TRUE(second.has_value());
  EXPECT_GE(*first, burnt.load());
  EXPECT_GE(*second, *first);
}

TEST(ThreadCpu, OfTheCallerByItsIdIsTheCallersOwn) {
  const std::uint64_t before = thread_cpu_nanos();
  const std::optional<std::uint64_t> by_id = thread_cpu_nanos(gettid());
  const std::uint64_t after = thread_cpu_nanos();
  ASSERT_TRUE(by_id.has_value());
  EXPECT_LE(before, *by_id);
  EXPECT_LE(*by_id, after);
}

TEST(ThreadCpu, OfAnEndedThreadIsNothing) {
  pid_t ended = 0;
  std::thread([&] { ended = gettid(); }).join();
  // The kernel may take a moment to bury it after it could be joined.
  while (thread_cpu_nanos(ended).has_value()) std::this_thread::yield();
  EXPECT_EQ(thread_cpu_nanos(ended), std::nullopt);
}

TEST(ThreadCpu, OfAThreadOfAnotherProcessIsNothing) {
  EXPECT_EQ(thread_cpu_nanos(pid_t{1}), std::nullopt);
}

TEST(ProcessCpu, HoldsTheTimeOfThreadsThatEnded) {
  const std::uint64_t before = process_cpu_nanos();
  std::uint64_t burnt = 0;
  std::thread([&] { burnt = burn_cpu(5 * kMillisecond); }).join();
  EXPECT_GE(process_cpu_nanos() - before, burnt);
}

// The same laws for each of the clocks that this machine has.
class ThreadClockOfEachKind : public ::testing::TestWithParam<ClockKind> {
 protected:
  void SetUp() override {
    before_ = clock_choice().kind;
    if (!force_clock(GetParam())) GTEST_SKIP() << "this machine has no such clock";
  }
  void TearDown() override { force_clock(before_); }

  // Until the rate of the processor's counter is known, every clock asks the kernel.
  static void get_to_know_the_rate(ThreadClock& clock) {
    for (int i = 0; i < 40; ++i) {
      burn_cpu(kMillisecond);
      static_cast<void>(clock.lap());
    }
  }
  static std::uint64_t difference(std::uint64_t a, std::uint64_t b) { return a < b ? b - a : a - b; }

 private:
  ClockKind before_ = ClockKind::Undecided;
};
INSTANTIATE_TEST_SUITE_P(Kinds, ThreadClockOfEachKind,
                         ::testing::Values(ClockKind::Flag, ClockKind::Fit, ClockKind::Kernel),
                         [](const auto& kind) { return std::string(name_of(kind.param)); });

TEST_P(ThreadClockOfEachKind, BeginsWithTheThread) {
  std::thread([] {
    ThreadClock clock;
    EXPECT_EQ(clock.lapped_nanos(), 0U);
    burn_cpu(2 * kMillisecond);
    const std::uint64_t lap = clock.lap();
    EXPECT_GE(lap, 2 * kMillisecond);
    EXPECT_LE(lap, thread_cpu_nanos());
    EXPECT_EQ(clock.lapped_nanos(), lap);
  }).join();
}

TEST_P(ThreadClockOfEachKind, LapsAddUpToTheKernelsClock) {
  std::thread([] {
    ThreadClock clock;
    std::uint64_t sum = 0;
    volatile std::uint64_t sink = 1;
    for (int i = 0; i < 200'000; ++i) {
      for (int j = 0; j < 100; ++j) sink = sink * 3 + 1;
      sum += clock.lap();
      ASSERT_EQ(clock.lapped_nanos(), sum);
    }
    const std::uint64_t truth = thread_cpu_nanos();
    // The kernel is asked once a millisecond: what is off is off since then.
    EXPECT_LE(difference(sum, truth), truth / 1'000 + 50'000) << "sum " << sum << ", truth " << truth;
  }).join();
}

TEST_P(ThreadClockOfEachKind, ALapIsWhatWasComputedSinceTheLast) {
  std::thread([] {
    ThreadClock clock;
    get_to_know_the_rate(clock);
    std::uint64_t laps = 0;
    std::uint64_t burnt = 0;
    for (int i = 0; i < 100; ++i) {
      static_cast<void>(clock.lap());
      burnt += burn_cpu(50'000);
      laps += clock.lap();
    }
    EXPECT_GE(laps + burnt / 50, burnt);
    EXPECT_LE(laps, burnt + burnt / 20);
  }).join();
}

TEST_P(ThreadClockOfEachKind, ALapWithASleepInItIsWhatWasComputed) {
  std::thread([] {
    ThreadClock clock;
    get_to_know_the_rate(clock);
    static_cast<void>(clock.lap());
    const std::uint64_t before = thread_cpu_nanos();
    const timespec pause{.tv_sec = 0, .tv_nsec = 20'000'000};
    nanosleep(&pause, nullptr);
    const std::uint64_t lap = clock.lap();
    EXPECT_LE(lap, thread_cpu_nanos() - before + 20'000);
  }).join();
}

TEST_P(ThreadClockOfEachKind, ShortSleepsAreNotChargedToTheLapsThatTheyAreIn) {
  std::thread([] {
    ThreadClock clock;
    get_to_know_the_rate(clock);
    std::uint64_t computing = 0;
    std::uint64_t computing_truth = 0;
    std::uint64_t sleeping = 0;
    std::uint64_t sleeping_truth = 0;
    for (int i = 0; i < 300; ++i) {
      static_cast<void>(clock.lap());
      computing_truth += burn_cpu(30'000);
      computing += clock.lap();
      const std::uint64_t before = thread_cpu_nanos();
      const timespec shortest{.tv_sec = 0, .tv_nsec = 1};  // some 50 us, by the kernel's timers
      nanosleep(&shortest, nullptr);
      sleeping_truth += thread_cpu_nanos() - before;
      sleeping += clock.lap();
    }
    constexpr std::uint64_t kCostOfAsking = 300 * 3'000;
    EXPECT_LE(sleeping, sleeping_truth + sleeping_truth / 4 + kCostOfAsking) << "truth " << sleeping_truth;
    EXPECT_GE(computing + computing_truth / 20, computing_truth);
    EXPECT_LE(computing, computing_truth + computing_truth / 20 + kCostOfAsking);
  }).join();
}

TEST_P(ThreadClockOfEachKind, ANeighbourOnTheSameProcessorCostsNothing) {
  // More threads than processors: each is often stopped in the middle of a lap.
  std::atomic<bool> stop{false};
  std::vector<std::thread> neighbours;
  for (unsigned i = 0; i < std::thread::hardware_concurrency() + 1; ++i) {
    neighbours.emplace_back([&] {
      while (!stop) burn_cpu(100'000);
    });
  }
  std::thread([] {
    ThreadClock clock;
    get_to_know_the_rate(clock);
    const std::uint64_t begin = thread_cpu_nanos();
    std::uint64_t sum = clock.lap();
    sum = 0;
    while (thread_cpu_nanos() - begin < 60 * kMillisecond) sum += clock.lap();
    const std::uint64_t truth = thread_cpu_nanos() - begin;
    EXPECT_LE(difference(sum, truth), truth / 50 + 100'000) << "sum " << sum << ", truth " << truth;
  }).join();
  stop = true;
  for (std::thread& neighbour : neighbours) neighbour.join();
}

TEST_P(ThreadClockOfEachKind, ResetBeginsTheLapWithTheThread) {
  std::thread([] {
    ThreadClock clock;
    burn_cpu(2 * kMillisecond);
    static_cast<void>(clock.lap());
    clock.reset_to_thread_start();
    EXPECT_EQ(clock.lapped_nanos(), 0U);
    const std::uint64_t lap = clock.lap();
    EXPECT_GE(lap, 2 * kMillisecond);
    EXPECT_LE(lap, thread_cpu_nanos());
  }).join();
}

TEST_P(ThreadClockOfEachKind, LapsNeverRunBackwards) {
  std::thread([] {
    ThreadClock clock;
    std::uint64_t last = 0;
    for (int i = 0; i < 100'000; ++i) {
      ASSERT_LT(clock.lap(), 10'000 * kMillisecond) << "a difference below zero";
      ASSERT_GE(clock.lapped_nanos(), last);
      last = clock.lapped_nanos();
    }
  }).join();
}

}  // namespace
}  // namespace bursar::cpu
