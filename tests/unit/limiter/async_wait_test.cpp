#include <bursar/limiter/memory_limiter.h>

#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <functional>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "unit/limiter/limiter_fixture.h"
#include "unit/limiter/waiting_coroutine.h"

namespace bursar {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

// Work that a test runs when it likes.
struct ManualWork {
  void run() {
    while (!tasks.empty()) {
      const auto task = std::move(tasks.front());
      tasks.pop_front();
      task();
    }
  }
  std::deque<std::function<void()>> tasks;
};

// An executor of the kind that Asio has.
struct ManualExecutor {
  template <typename Task>
  void execute(Task task) const {
    if (failures > 0) {
      --failures;
      throw std::runtime_error("no room");
    }
    work->tasks.emplace_back(std::move(task));
  }
  ManualWork* work;
  int& failures;
};

class AsyncWaitTest : public LimiterTest {
 protected:
  static WaitingCoroutine wait_once(const MemoryLimiter& limiter, ManualExecutor executor, int& resumed) {
    co_await limiter.async_wait_for_capacity(executor);
    ++resumed;
  }

  ManualExecutor executor() { return {.work = &work, .failures = failures}; }

  ManualWork work;
  int failures = 0;
  int resumed = 0;
};

TEST_F(AsyncWaitTest, WithoutPressureTheCoroutineIsNotSuspended) {
  const MemoryLimiter limiter = create(options());
  const auto coroutine = wait_once(limiter, executor(), resumed);
  EXPECT_EQ(resumed, 1);
  EXPECT_EQ(limiter.waits_total(), 0u);
}

TEST_F(AsyncWaitTest, NoopDoesNotSuspend) {
  const MemoryLimiter limiter = MemoryLimiter::noop();
  const auto coroutine = wait_once(limiter, executor(), resumed);
  EXPECT_EQ(resumed, 1);
}

TEST_F(AsyncWaitTest, ObservingDoesNotSuspendButCounts) {
  usage = 1000;
  MemoryLimiterOptions observing = options();
  observing.mode = LimiterMode::Observe;
  const MemoryLimiter limiter = create(std::move(observing));
  const auto coroutine = wait_once(limiter, executor(), resumed);
  EXPECT_EQ(resumed, 1);
  EXPECT_EQ(limiter.waits_total(), 1u);
}

TEST_F(AsyncWaitTest, TheExecutorGetsTheCoroutineOnceTheBackoffHasPassed) {
  usage = 1000;
  const MemoryLimiter limiter = create(options());
  const auto coroutine = wait_once(limiter, executor(), resumed);
  EXPECT_EQ(limiter.waits_total(), 1u);
  clock.advance(milliseconds(25) - nanoseconds(1));
  limiter.poll();
  EXPECT_TRUE(work.tasks.empty());
  clock.advance(nanoseconds(1));
  limiter.poll();
  EXPECT_EQ(work.tasks.size(), 1u);
  EXPECT_EQ(resumed, 0);
  work.run();
  EXPECT_EQ(resumed, 1);
}

TEST_F(AsyncWaitTest, NoThreadSleepsForACoroutine) {
  usage = 1000;
  const MemoryLimiter limiter = create(options());
  const auto coroutine = wait_once(limiter, executor(), resumed);
  EXPECT_EQ(clock.sleeps, 0);
}

TEST_F(AsyncWaitTest, CoroutinesAreHandedOverInTheOrderOfTheirEnds) {
  std::vector<int> order;
  const auto note = [](const MemoryLimiter& limiter, ManualExecutor on, std::vector<int>& noted,
                       int number) -> WaitingCoroutine {
    co_await limiter.async_wait_for_capacity(on);
    noted.push_back(number);
  };
  usage = 1000;
  const MemoryLimiter limiter = create(options());
  const auto late = note(limiter, executor(), order, 25);
  usage = 950;
  limiter.poll();
  const auto early = note(limiter, executor(), order, 1);
  clock.advance(milliseconds(25));
  limiter.poll();
  work.run();
  EXPECT_EQ(order, (std::vector<int>{1, 25}));
}

TEST_F(AsyncWaitTest, TheLimiterWantsToBePolledWhenACoroutineIsDue) {
  usage = 1000;
  const MemoryLimiter limiter = create(options());
  clock.advance(milliseconds(1));
  const auto coroutine = wait_once(limiter, executor(), resumed);
  clock.advance(milliseconds(12));
  EXPECT_EQ(limiter.poll(), milliseconds(13));
  clock.advance(milliseconds(13));
  EXPECT_EQ(limiter.poll(), milliseconds(20));
}

TEST_F(AsyncWaitTest, CoroutinesGoOnOnceNobodyHasToWait) {
  usage = 1000;
  const MemoryLimiter limiter = create(options());
  const auto first = wait_once(limiter, executor(), resumed);
  const auto second = wait_once(limiter, executor(), resumed);
  usage = 100;
  limiter.poll();
  work.run();
  EXPECT_EQ(resumed, 2);
}

TEST_F(AsyncWaitTest, ACallableCanBeTheExecutor) {
  usage = 1000;
  const MemoryLimiter limiter = create(options());
  const auto wait = [](const MemoryLimiter& on, int& count) -> WaitingCoroutine {
    co_await on.async_wait_for_capacity([](auto task) { task(); });
    ++count;
  };
  const auto coroutine = wait(limiter, resumed);
  clock.advance(milliseconds(25));
  limiter.poll();
  EXPECT_EQ(resumed, 1);
}

TEST_F(AsyncWaitTest, ALimiterThatGoesHandsItsCoroutinesToTheirExecutor) {
  usage = 1000;
  std::optional<MemoryLimiter> limiter = create(options());
  const auto first = wait_once(*limiter, executor(), resumed);
  const auto second = wait_once(*limiter, executor(), resumed);
  limiter.reset();
  EXPECT_EQ(resumed, 0);
  work.run();
  EXPECT_EQ(resumed, 2);
}

TEST_F(AsyncWaitTest, ALimiterThatIsReplacedHandsItsCoroutinesToTheirExecutor) {
  usage = 1000;
  MemoryLimiter limiter = create(options());
  const auto coroutine = wait_once(limiter, executor(), resumed);
  limiter = MemoryLimiter::noop();
  work.run();
  EXPECT_EQ(resumed, 1);
}

TEST_F(AsyncWaitTest, ACoroutineWaitsOnWhileItsLimiterIsMoved) {
  usage = 1000;
  MemoryLimiter limiter = create(options());
  const auto coroutine = wait_once(limiter, executor(), resumed);
  const MemoryLimiter moved(std::move(limiter));
  EXPECT_TRUE(work.tasks.empty());
  clock.advance(milliseconds(25));
  moved.poll();
  EXPECT_EQ(work.tasks.size(), 1u);
}

TEST_F(AsyncWaitTest, ACoroutineDestroyedWhileItWaitsIsNotHandedOver) {
  usage = 1000;
  const MemoryLimiter limiter = create(options());
  auto coroutine = wait_once(limiter, executor(), resumed);
  coroutine.destroy();
  clock.advance(milliseconds(25));
  limiter.poll();
  EXPECT_TRUE(work.tasks.empty());
}

TEST_F(AsyncWaitTest, ACoroutineDestroyedAfterItsLimiterLeavesNothingBehind) {
  usage = 1000;
  std::optional<MemoryLimiter> limiter = create(options());
  auto coroutine = wait_once(*limiter, executor(), resumed);
  limiter.reset();
  coroutine.destroy();
  work.run();
  EXPECT_EQ(resumed, 0);
}

TEST_F(AsyncWaitTest, ACoroutineDestroyedBeforeItsExecutorRanItIsNotResumed) {
  usage = 1000;
  const MemoryLimiter limiter = create(options());
  auto coroutine = wait_once(limiter, executor(), resumed);
  clock.advance(milliseconds(25));
  limiter.poll();
  ASSERT_EQ(work.tasks.size(), 1u);
  coroutine.destroy();
  work.run();
  EXPECT_EQ(resumed, 0);
}

TEST_F(AsyncWaitTest, AnExecutorThatFailedIsAskedAgain) {
  usage = 1000;
  const MemoryLimiter limiter = create(options());
  const auto coroutine = wait_once(limiter, executor(), resumed);
  failures = 1;
  clock.advance(milliseconds(25));
  limiter.poll();
  EXPECT_TRUE(work.tasks.empty());
  clock.advance(milliseconds(1));
  limiter.poll();
  work.run();
  EXPECT_EQ(resumed, 1);
}

TEST_F(AsyncWaitTest, WhereTheExecutorOfALastCoroutineFailsItIsResumedAnyway) {
  usage = 1000;
  std::optional<MemoryLimiter> limiter = create(options());
  const auto coroutine = wait_once(*limiter, executor(), resumed);
  failures = 1;
  limiter.reset();
  EXPECT_EQ(resumed, 1);
}

TEST_F(AsyncWaitTest, ACoroutineMayWaitAgainAndAgain) {
  usage = 1000;
  const MemoryLimiter limiter = create(options());
  const auto loop = [](const MemoryLimiter& on, ManualExecutor executor, int& count) -> WaitingCoroutine {
    for (int i = 0; i < 10; ++i) {
      co_await on.async_wait_for_capacity(executor);
      ++count;
    }
  };
  const auto coroutine = loop(limiter, executor(), resumed);
  for (int i = 1; i <= 10; ++i) {
    clock.advance(milliseconds(25));
    limiter.poll();
    work.run();
    EXPECT_EQ(resumed, i);
  }
}

TEST_F(AsyncWaitTest, ACoroutineResumedRightAwayMayWaitAgain) {
  usage = 1000;
  const MemoryLimiter limiter = create(options());
  const auto loop = [](const MemoryLimiter& on, int& count) -> DetachedCoroutine {
    for (int i = 0; i < 3; ++i) {
      co_await on.async_wait_for_capacity([](auto task) { task(); });
      ++count;
    }
  };
  loop(limiter, resumed);
  for (int i = 1; i <= 3; ++i) {
    clock.advance(milliseconds(25));
    limiter.poll();
    EXPECT_EQ(resumed, i);
  }
}

}  // namespace
}  // namespace bursar
