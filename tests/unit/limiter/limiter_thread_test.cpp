#include <bursar/limiter/memory_limiter.h>

#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "unit/limiter/waiting_coroutine.h"

namespace bursar {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr std::uint64_t kLimitBytes = 1000;

// A usage that any thread may set.
struct SharedUsage {
  [[nodiscard]] MemorySensor sensor() {
    return [this]() -> std::optional<std::uint64_t> {
      readings.fetch_add(1);
      readings.notify_all();
      return bytes.load();
    };
  }
  // Returns once the limiter has looked `count` times more.
  void await_readings(std::uint64_t count) const {
    const std::uint64_t until = readings.load() + count;
    for (std::uint64_t now = readings.load(); now < until; now = readings.load()) readings.wait(now);
  }
  std::atomic<std::uint64_t> bytes{0};
  std::atomic<std::uint64_t> readings{0};
};

MemoryLimiter create(SharedUsage& usage, std::chrono::nanoseconds backoff = microseconds(100)) {
  MemoryLimiterOptions options;
  options.usage_sensors = {usage.sensor()};
  options.fast_interval = microseconds(50);
  options.slow_interval = microseconds(200);
  options.cpu_share = 1.0;
  options.policy = RampPolicy::create({.min_backoff = backoff, .max_backoff = backoff}).value();
  return MemoryLimiter::create(MemoryGrant::effective(kLimitBytes).value(), std::move(options)).value();
}

// One thread that runs what it is given.
class WorkerThread {
 public:
  WorkerThread() : thread_([this](const std::stop_token& stop) { run(stop); }) {}

  struct Executor {
    template <typename Task>
    void execute(Task task) const {
      worker->post(std::move(task));
    }
    WorkerThread* worker;
  };
  [[nodiscard]] Executor executor() { return {.worker = this}; }

  void post(std::function<void()> task) {
    {
      const std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(task));
    }
    changed_.notify_one();
  }
  // Runs `task` on the thread and waits for it.
  void run_there(const std::function<void()>& task) {
    std::atomic<bool> done{false};
    post([&] {
      task();
      done.store(true);
      done.notify_one();
    });
    done.wait(false);
  }

 private:
  void run(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (changed_.wait(lock, stop, [this] { return !tasks_.empty(); })) {
      const auto task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<std::function<void()>> tasks_;
  std::jthread thread_;
};

// The numbers of this process's threads of the limiter's name.
std::vector<std::string> limiter_threads() {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream file(entry.path() / "comm");
    std::string name;
    if (std::getline(file, name) && name == "bursar-limiter") found.push_back(entry.path().filename());
  }
  return found;
}

// What the kernel says a thread of this process does; 'S' is asleep.
char state_of(const std::string& thread) {
  std::ifstream file("/proc/self/task/" + thread + "/stat");
  std::string stat;
  std::getline(file, stat);
  const std::size_t name_end = stat.rfind(')');
  return name_end != std::string::npos && name_end + 2 < stat.size() ? stat[name_end + 2] : '?';
}

TEST(LimiterThreadTest, TheThreadLooksByItself) {
  SharedUsage usage;
  const MemoryLimiter limiter = create(usage);
  ASSERT_EQ(limiter.state(), LimiterState::Normal);
  usage.bytes = kLimitBytes;
  usage.await_readings(2);  // the first of them is then published
  EXPECT_EQ(limiter.state(), LimiterState::Hard);
  usage.bytes = 0;
  usage.await_readings(2);
  EXPECT_EQ(limiter.state(), LimiterState::Normal);
}

TEST(LimiterThreadTest, TheThreadBearsItsNameAndEndsWithTheLimiter) {
  SharedUsage usage;
  const std::size_t before = limiter_threads().size();
  std::optional<MemoryLimiter> limiter = create(usage);
  EXPECT_EQ(limiter_threads().size(), before + 1);
  limiter.reset();
  // A thread that was joined may stay listed for a moment; the test's own time limit is the judge.
  while (limiter_threads().size() > before) std::this_thread::yield();
}

TEST(LimiterThreadTest, ALongIntervalDoesNotDelayTheEnd) {
  SharedUsage usage;
  MemoryLimiterOptions options;
  options.usage_sensors = {usage.sensor()};
  options.slow_interval = std::chrono::hours(1);
  options.listens_for_stalls = false;
  const std::vector<std::string> others = limiter_threads();
  const auto limiter = MemoryLimiter::create(MemoryGrant::effective(kLimitBytes).value(), std::move(options));
  ASSERT_TRUE(limiter);
  // One look by create(), one by the thread, which then sleeps. That it wakes up is judged by the test's own time
  // limit.
  for (std::uint64_t now = usage.readings.load(); now < 2; now = usage.readings.load()) usage.readings.wait(now);
  for (const std::string& thread : limiter_threads()) {
    while (std::ranges::find(others, thread) == others.end() && state_of(thread) != 'S') std::this_thread::yield();
  }
}

TEST(LimiterThreadTest, TheThreadTakesNoSignals) {
  std::atomic<bool> looked{false};
  sigset_t blocked;
  MemoryLimiterOptions options;
  const std::thread::id test_thread = std::this_thread::get_id();
  options.usage_sensors = {[&]() -> std::optional<std::uint64_t> {
    if (std::this_thread::get_id() != test_thread && !looked.load()) {
      ::pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
      looked.store(true);
      looked.notify_one();
    }
    return 0;
  }};
  sigset_t none;
  ::sigemptyset(&none);
  sigset_t before;
  ::pthread_sigmask(SIG_SETMASK, &none, &before);
  const auto limiter = MemoryLimiter::create(MemoryGrant::effective(kLimitBytes).value(), std::move(options));
  looked.wait(false);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD, SIGPROF, SIGALRM}) {
    EXPECT_EQ(::sigismember(&blocked, signal), 1) << signal;
  }
  sigset_t after;
  ::pthread_sigmask(SIG_BLOCK, nullptr, &after);
  EXPECT_EQ(::sigismember(&after, SIGTERM), 0);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST(LimiterThreadTest, AMovedLimiterGoesOnLooking) {
  SharedUsage usage;
  MemoryLimiter limiter = create(usage);
  const MemoryLimiter moved(std::move(limiter));
  usage.bytes = kLimitBytes;
  usage.await_readings(2);
  EXPECT_EQ(moved.state(), LimiterState::Hard);
}

TEST(LimiterThreadTest, AStopTokenEndsAWaitThatWouldTakeAnHour) {
  SharedUsage usage;
  usage.bytes = kLimitBytes;
  const MemoryLimiter limiter = create(usage, std::chrono::hours(1));
  std::atomic<bool> whole{true};
  {
    const std::jthread waiter([&](const std::stop_token& stop) { whole = limiter.wait_for_capacity(stop); });
    usage.await_readings(3);
  }
  EXPECT_FALSE(whole);
}

TEST(LimiterThreadTest, ThreadsWaitWhileUsageChanges) {
  SharedUsage usage;
  const MemoryLimiter limiter = create(usage);
  constexpr int kThreads = 4;
  constexpr int kWaits = 200;
  {
    std::vector<std::jthread> waiters;
    for (int i = 0; i < kThreads; ++i) {
      waiters.emplace_back([&limiter] {
        for (int wait = 0; wait < kWaits; ++wait) {
          limiter.wait_for_capacity();
          static_cast<void>(limiter.should_shed());
          static_cast<void>(limiter.usage_bytes());
        }
      });
    }
    for (int i = 0; i < 50; ++i) {
      usage.bytes = i % 2 == 0 ? kLimitBytes : 0;
      usage.await_readings(1);
    }
  }
  EXPECT_LE(limiter.waits_total(), static_cast<std::uint64_t>(kThreads) * kWaits);
}

DetachedCoroutine wait_many(const MemoryLimiter& limiter, WorkerThread::Executor executor, int rounds,
                            std::atomic<int>& finished) {
  for (int i = 0; i < rounds; ++i) co_await limiter.async_wait_for_capacity(executor);
  finished.fetch_add(1);
  finished.notify_one();
}

// Threads whose growth is told, beside the limiter's own: whoever has grown looks or finds that another does.
TEST(LimiterThreadTest, ThreadsThatGrowLookForThemselves) {
  static thread_local constinit std::uint64_t grown_bytes = 0;
  SharedUsage usage;
  constexpr std::uint64_t kLimit = std::uint64_t{1} << 30;
  MemoryLimiterOptions options;
  options.usage_sensors = {usage.sensor()};
  options.thread_growth = []() noexcept { return grown_bytes; };
  options.bound_share = [] { return std::optional(grown_bytes % 2 == 0 ? 0.5 : 2.0); };
  options.policy = RampPolicy::create({.min_backoff = microseconds(1), .max_backoff = microseconds(1)}).value();
  options.fastest_growth_per_second = kLimit * 1000;  // there is never room enough not to look
  const auto limiter = MemoryLimiter::create(MemoryGrant::effective(kLimit).value(), std::move(options));
  ASSERT_TRUE(limiter);
  const std::uint64_t before = usage.readings.load();
  constexpr int kThreads = 4;
  constexpr int kPieces = 500;
  {
    std::vector<std::jthread> growing;
    for (int i = 0; i < kThreads; ++i) {
      growing.emplace_back([&] {
        for (int piece = 0; piece < kPieces; ++piece) {
          grown_bytes += kLimit / 16 + 1;
          usage.bytes.fetch_add(kLimit / 1000);
          limiter->wait_for_capacity();
        }
      });
    }
  }
  EXPECT_EQ(limiter->state(), LimiterState::Hard);
  EXPECT_GE(usage.readings.load() - before, static_cast<std::uint64_t>(kPieces));
}

TEST(LimiterThreadTest, ACoroutineIsNotLateWhereTheThreadSleepsLong) {
  SharedUsage usage;
  usage.bytes = kLimitBytes;
  MemoryLimiterOptions options;
  options.usage_sensors = {usage.sensor()};
  options.slow_interval = std::chrono::hours(1);
  options.listens_for_stalls = false;
  options.purge = std::function<void()>();
  const auto limiter = MemoryLimiter::create(MemoryGrant::effective(kLimitBytes).value(), std::move(options));
  ASSERT_TRUE(limiter);
  std::atomic<int> finished{0};
  WorkerThread worker;
  // That each of them comes back is judged by the test's own time limit.
  worker.run_there([&] { wait_many(*limiter, worker.executor(), 3, finished); });
  finished.wait(0);
}

TEST(LimiterThreadTest, ComponentsAreAskedForMemoryOnTheLimitersThread) {
  SharedUsage usage;
  const MemoryLimiter limiter = create(usage);
  std::atomic<std::uint64_t> wanted{0};
  std::atomic<bool> elsewhere{false};
  const auto registration = limiter.on_reclaim(
      "cache", [] { return std::uint64_t{1}; },
      [&, test_thread = std::this_thread::get_id()](std::uint64_t bytes) {
        elsewhere = std::this_thread::get_id() != test_thread;
        usage.bytes = 0;
        wanted.store(bytes);
        wanted.notify_one();
        return bytes;
      });
  usage.bytes = kLimitBytes;
  wanted.wait(0);
  EXPECT_EQ(wanted.load(), kLimitBytes / 10);
  EXPECT_TRUE(elsewhere.load());
}

TEST(LimiterThreadTest, EveryCoroutineOfManyThreadsIsResumedEveryTime) {
  SharedUsage usage;
  usage.bytes = kLimitBytes;
  const MemoryLimiter limiter = create(usage);
  std::atomic<int> finished{0};
  constexpr int kCoroutines = 40;
  constexpr int kRounds = 20;
  WorkerThread workers[2];
  for (int i = 0; i < kCoroutines; ++i) {
    WorkerThread& worker = workers[i % 2];
    worker.post([&, executor = worker.executor()] { wait_many(limiter, executor, kRounds, finished); });
  }
  for (int now = 0; now < kCoroutines; now = finished.load()) finished.wait(now);
  EXPECT_EQ(limiter.waits_total(), static_cast<std::uint64_t>(kCoroutines) * kRounds);
}

WaitingCoroutine wait_forever(const MemoryLimiter& limiter, WorkerThread::Executor executor) {
  for (;;) co_await limiter.async_wait_for_capacity(executor);
}

TEST(LimiterThreadTest, CoroutinesMayBeDestroyedWhileTheLimitersThreadHandsThemOver) {
  SharedUsage usage;
  usage.bytes = kLimitBytes;
  const MemoryLimiter limiter = create(usage);
  WorkerThread worker;
  for (int i = 0; i < 100; ++i) {
    std::vector<WaitingCoroutine> coroutines;
    worker.run_there([&] {
      for (int count = 0; count < 10; ++count) coroutines.push_back(wait_forever(limiter, worker.executor()));
    });
    usage.await_readings(1);
    // On the coroutines' own thread, in the midst of the limiter's.
    worker.run_there([&] { coroutines.clear(); });
  }
}

TEST(LimiterThreadTest, TheExecutorMayGoRightAfterItsCoroutines) {
  SharedUsage usage;
  usage.bytes = kLimitBytes;
  const MemoryLimiter limiter = create(usage);
  for (int i = 0; i < 100; ++i) {
    auto worker = std::make_unique<WorkerThread>();
    std::optional<WaitingCoroutine> coroutine;
    worker->run_there([&] { coroutine = wait_forever(limiter, worker->executor()); });
    if (i % 3 == 0) usage.await_readings(1);
    worker->run_there([&] { coroutine.reset(); });
    worker.reset();
  }
}

TEST(LimiterThreadTest, TheLimiterMayGoWhileCoroutinesWait) {
  for (int i = 0; i < 50; ++i) {
    SharedUsage usage;
    usage.bytes = kLimitBytes;
    std::optional<MemoryLimiter> limiter = create(usage);
    WorkerThread worker;
    std::atomic<int> finished{0};
    constexpr int kCoroutines = 10;
    worker.run_there([&] {
      for (int count = 0; count < kCoroutines; ++count) wait_many(*limiter, worker.executor(), 1, finished);
    });
    limiter.reset();
    for (int now = finished.load(); now < kCoroutines; now = finished.load()) finished.wait(now);
  }
}

TEST(LimiterThreadTest, ACoroutineOnTheLimitersOwnThreadMayEndTheLimiter) {
  SharedUsage usage;
  usage.bytes = kLimitBytes;
  auto limiter = std::make_unique<MemoryLimiter>(create(usage));
  std::atomic<bool> ended{false};
  const auto end_it = [](std::unique_ptr<MemoryLimiter>& owner, std::atomic<bool>& done) -> DetachedCoroutine {
    co_await owner->async_wait_for_capacity([](auto task) { task(); });
    owner.reset();
    done.store(true);
    done.notify_one();
  };
  end_it(limiter, ended);
  ended.wait(false);
  EXPECT_EQ(limiter, nullptr);
}

}  // namespace
}  // namespace bursar
