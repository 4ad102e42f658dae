// How right the CPU figures are: four groups take turns on one thread in stretches of 1 to 50 us, beside busy neighbours,
// with and without waits inside. The reference asks the kernel at every change. Its reading stands at the same place before
// the change into a group and before the one out of it, so its own cost is in both accounts alike.

#include <bursar/cpu/clock_choice.h>
#include <bursar/cpu/thread_clock.h>
#include <bursar/groups/resource_group_registry.h>

#include <gtest/gtest.h>

#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace bursar {
namespace {

constexpr std::size_t kGroups = 4;
constexpr std::uint64_t kRunNanos = 400'000'000;  // of the measured thread's CPU time

void burn(std::uint64_t nanos) {
  const std::uint64_t end = cpu::thread_cpu_nanos() + nanos;
  while (cpu::thread_cpu_nanos() < end) {
  }
}

void stay_on(const std::vector<int>& cores) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int core : cores) CPU_SET(static_cast<std::size_t>(core), &set);
  sched_setaffinity(0, sizeof(set), &set);
}

std::vector<int> available_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof(set), &set);
  std::vector<int> cores;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(static_cast<std::size_t>(core), &set)) cores.push_back(core);
  }
  return cores;
}

// Something that a stretch waits for, with a partner that lets it wait for some microseconds.
class Waiting {
 public:
  virtual ~Waiting() = default;
  virtual void wait() = 0;
};

class NoWaiting : public Waiting {
 public:
  void wait() override {}
};

class Sleeping : public Waiting {
 public:
  void wait() override {
    const timespec nap{.tv_sec = 0, .tv_nsec = 20'000};
    nanosleep(&nap, nullptr);
  }
};

// A partner thread answers each call after 1 to 20 us of its own work.
template <typename Channel>
class HandingOff : public Waiting {
 public:
  explicit HandingOff(std::vector<int> cores) : partner_([this, cores] { answer(cores); }) {}
  ~HandingOff() override {
    stopped_ = true;
    channel_.call();
    partner_.join();
  }
  void wait() override {
    channel_.call();
    channel_.await_answer();
  }

 private:
  void answer(const std::vector<int>& cores) {
    stay_on(cores);
    std::minstd_rand random(7);
    std::uniform_int_distribution<std::uint64_t> nanos(1'000, 20'000);
    for (;;) {
      channel_.await_call();
      if (stopped_) return;
      burn(nanos(random));
      channel_.answer();
    }
  }

  Channel channel_;
  std::atomic<bool> stopped_{false};
  std::thread partner_;
};

class FutexChannel {
 public:
  void call() { post(calls_); }
  void await_call() { take(calls_); }
  void answer() { post(answers_); }
  void await_answer() { take(answers_); }

 private:
  static void post(std::atomic<std::uint32_t>& count) {
    count.fetch_add(1);
    syscall(SYS_futex, &count, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
  }
  static void take(std::atomic<std::uint32_t>& count) {
    while (count.load() == 0) syscall(SYS_futex, &count, FUTEX_WAIT_PRIVATE, 0, nullptr, nullptr, 0);
    count.fetch_sub(1);
  }
  std::atomic<std::uint32_t> calls_{0};
  std::atomic<std::uint32_t> answers_{0};
};

class PipeChannel {
 public:
  PipeChannel() {
    EXPECT_EQ(pipe(calls_.data()), 0);
    EXPECT_EQ(pipe(answers_.data()), 0);
  }
  ~PipeChannel() {
    for (const int end : {calls_[0], calls_[1], answers_[0], answers_[1]}) close(end);
  }
  PipeChannel(const PipeChannel&) = delete;
  PipeChannel& operator=(const PipeChannel&) = delete;
  void call() { post(calls_); }
  void await_call() { take(calls_); }
  void answer() { post(answers_); }
  void await_answer() { take(answers_); }

 private:
  static void post(const std::array<int, 2>& pipe_ends) { EXPECT_EQ(write(pipe_ends[1], "x", 1), 1); }
  static void take(const std::array<int, 2>& pipe_ends) {
    char byte = 0;
    EXPECT_EQ(read(pipe_ends[0], &byte, 1), 1);
  }
  std::array<int, 2> calls_{};
  std::array<int, 2> answers_{};
};

// Threads that take the processor whenever they get it.
class BusyNeighbours {
 public:
  explicit BusyNeighbours(int threads) {
    for (int i = 0; i < threads; ++i) {
      threads_.emplace_back([this] {
        while (!stopped_.load(std::memory_order_relaxed)) {
        }
      });
    }
  }
  ~BusyNeighbours() {
    stopped_ = true;
    for (std::thread& thread : threads_) thread.join();
  }
  BusyNeighbours(const BusyNeighbours&) = delete;
  BusyNeighbours& operator=(const BusyNeighbours&) = delete;

 private:
  std::atomic<bool> stopped_{false};
  std::vector<std::thread> threads_;
};

using Figures = std::array<std::uint64_t, kGroups>;

// Runs the stretches and prints truth, ours and error of each group. Answers the greatest error.
double greatest_error(const std::string& what, Waiting& waiting) {
  std::array<ResourceGroupToken, kGroups> tokens;
  for (std::size_t i = 0; i < kGroups; ++i) {
    tokens[i] = ResourceGroupRegistry::global().register_resource_group("accuracy." + std::to_string(i));
  }
  std::minstd_rand random(42);
  std::uniform_int_distribution<std::uint64_t> nanos(1'000, 50'000);
  Figures before{};
  for (std::size_t i = 0; i < kGroups; ++i) before[i] = tokens[i].stats().totals().cpu_time_nanos;
  Figures truth{};
  const std::uint64_t end = cpu::thread_cpu_nanos() + kRunNanos;
  for (std::size_t turn = 0; cpu::thread_cpu_nanos() < end; ++turn) {
    const std::size_t group = turn % kGroups;
    const std::uint64_t start = cpu::thread_cpu_nanos();
    const ResourceTrackingGuard guard(tokens[group]);
    burn(nanos(random));
    // Half of the groups wait in every fourth of their turns.
    if (group % 2 == 0 && turn / kGroups % 4 == 0) waiting.wait();
    truth[group] += cpu::thread_cpu_nanos() - start;
  }
  double greatest = 0;
  std::printf("%-36s clock %-7s", what.c_str(), cpu::name_of(cpu::clock_choice().kind).data());
  for (std::size_t i = 0; i < kGroups; ++i) {
    const std::uint64_t ours = tokens[i].stats().totals().cpu_time_nanos - before[i];
    const double error = (static_cast<double>(ours) - static_cast<double>(truth[i])) / static_cast<double>(truth[i]);
    greatest = std::max(greatest, std::abs(error));
    std::printf("  %7.2f ms %7.2f ms %+6.2f %%", static_cast<double>(truth[i]) / 1e6, static_cast<double>(ours) / 1e6,
                error * 100);
  }
  std::printf("\n");
  return greatest;
}

// A host that takes the processor away in the middle of a reading spoils a run; three in a row it does not.
template <typename Run>
double best_of_three(Run run) {
  double best = run();
  for (int i = 1; i < 3 && best > 0.01; ++i) best = std::min(best, run());
  return best;
}

class CpuAccuracy : public testing::TestWithParam<cpu::ClockKind> {
 protected:
  void SetUp() override {
    if (!cpu::force_clock(GetParam())) GTEST_SKIP() << "this machine has no clock `" << cpu::name_of(GetParam()) << "`";
    // The rate of the counter is told within the first milliseconds.
    const auto token = ResourceGroupRegistry::global().register_resource_group("accuracy.warm-up");
    for (int i = 0; i < 50; ++i) {
      const ResourceTrackingGuard guard(token);
      burn(1'000'000);
    }
  }
  void TearDown() override { stay_on(cores_); }

  const std::vector<int> cores_ = available_cores();
  const std::vector<int> one_core_ = {cores_.front()};
};

// The fit clock asks the kernel at the end of each longer lap, and half of the asking is in the lap.
double tolerance(cpu::ClockKind kind) {
  return kind == cpu::ClockKind::Fit ? 0.02 : 0.01;
}

TEST_P(CpuAccuracy, OfStretchesBesideBusyNeighboursIsWithinItsTolerance) {
  const BusyNeighbours neighbours(static_cast<int>(cores_.size()));
  NoWaiting none;
  EXPECT_LE(best_of_three([&] { return greatest_error("busy neighbours", none); }), tolerance(GetParam()));
}

TEST_P(CpuAccuracy, OfStretchesThatSleepIsWithinItsTolerance) {
  Sleeping sleeping;
  EXPECT_LE(best_of_three([&] { return greatest_error("sleeps", sleeping); }), tolerance(GetParam()));
}

class HandOffAccuracy : public CpuAccuracy {};

TEST_P(HandOffAccuracy, OverAFutexOnOneCoreIsWithinOnePercent) {
  stay_on(one_core_);
  HandingOff<FutexChannel> futex(one_core_);
  EXPECT_LE(best_of_three([&] { return greatest_error("hand-offs by futex, one core", futex); }), 0.01);
}

TEST_P(HandOffAccuracy, OverAFutexOnTwoCoresIsWithinOnePercent) {
  HandingOff<FutexChannel> futex(cores_);
  EXPECT_LE(best_of_three([&] { return greatest_error("hand-offs by futex, two cores", futex); }), 0.01);
}

TEST_P(HandOffAccuracy, OverAPipeOnOneCoreIsWithinOnePercent) {
  stay_on(one_core_);
  HandingOff<PipeChannel> pipe(one_core_);
  EXPECT_LE(best_of_three([&] { return greatest_error("hand-offs by pipe, one core", pipe); }), 0.01);
}

TEST_P(HandOffAccuracy, OverAPipeOnTwoCoresIsWithinOnePercent) {
  HandingOff<PipeChannel> pipe(cores_);
  EXPECT_LE(best_of_three([&] { return greatest_error("hand-offs by pipe, two cores", pipe); }), 0.01);
}

std::string clock_name(const testing::TestParamInfo<cpu::ClockKind>& info) {
  return std::string(cpu::name_of(info.param));
}
INSTANTIATE_TEST_SUITE_P(Clock, CpuAccuracy,
                         testing::Values(cpu::ClockKind::Flag, cpu::ClockKind::Fit, cpu::ClockKind::Kernel),
                         clock_name);
// Not the fit clock: a wait in a short lap is beyond it, as the documents say.
INSTANTIATE_TEST_SUITE_P(Clock, HandOffAccuracy, testing::Values(cpu::ClockKind::Flag, cpu::ClockKind::Kernel),
                         clock_name);

// The tests above can fail: the same groups, with the counter at a wrong rate.
TEST(CpuAccuracyBroken, AWrongRateIsSeen) {
  if (!cpu::force_clock(cpu::ClockKind::Flag)) GTEST_SKIP() << "this machine has no clock `flag`";
  HandingOff<FutexChannel> futex(available_cores());
  (void)greatest_error("before it is broken", futex);
  auto& rate = cpu::internal::bursar_1_nanos_per_tick;
  const std::uint64_t right = rate.load();
  ASSERT_NE(right, 0U);
  rate.store(right / 2);
  const double error = greatest_error("counter at half its rate", futex);
  cpu::force_clock(cpu::ClockKind::Flag);
  EXPECT_GT(error, 0.01);
}

}  // namespace
}  // namespace bursar
