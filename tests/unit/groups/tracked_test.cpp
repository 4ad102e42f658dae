#include <bursar/groups/group_following_promise.h>
#include <bursar/groups/resource_group_registry.h>
#include <bursar/groups/tracked.h>

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <coroutine>
#include <cstdint>
#include <deque>
#include <exception>
#include <latch>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "unit/groups/plain_task.h"

namespace bursar {
namespace {

ResourceGroupToken group(const char* name) {
  return ResourceGroupRegistry::global().register_resource_group(name);
}

using testing::Task;

template <typename T>
using FollowingTask = Task<T, GroupFollowingPromise>;

// Completed by hand; remembers the group in which each of its functions ran.
struct Event {
  std::coroutine_handle<> waiting;
  ResourceGroupToken suspended_in;
  ResourceGroupToken resumed_in;

  struct Awaiter {
    Event& event;
    static bool await_ready() noexcept { return false; }
    void await_suspend(std::coroutine_handle<> handle) const noexcept {
      event.suspended_in = ResourceGroupToken::current();
      event.waiting = handle;
    }
    int await_resume() const noexcept {
      event.resumed_in = ResourceGroupToken::current();
      return 7;
    }
  };
  Awaiter operator co_await() & noexcept { return {*this}; }
  void complete() { std::exchange(waiting, {}).resume(); }
};

struct Ready {
  static bool await_ready() noexcept { return true; }
  static void await_suspend(std::coroutine_handle<>) noexcept {}
  static ResourceGroupToken await_resume() noexcept { return ResourceGroupToken::current(); }
};

struct Declined {
  static bool await_ready() noexcept { return false; }
  static bool await_suspend(std::coroutine_handle<>) noexcept { return false; }
  static ResourceGroupToken await_resume() noexcept { return ResourceGroupToken::current(); }
};

struct Throwing {
  static bool await_ready() noexcept { return false; }
  static void await_suspend(std::coroutine_handle<>) { throw std::runtime_error("suspend"); }
  static void await_resume() noexcept {}
};

static_assert(Track<Event&> && Track<Ready> && Track<Task<int>> && Track<Tracked<Ready>>);
static_assert(Track<Task<int> (*)()>);
static_assert(!Track<int> && !Track<int (*)()>);

TEST(TrackedTest, LeafRunsInItsGroupAndItsAwaiterDoesNot) {
  const ResourceGroupToken token = group("tracked.leaf");
  Event event;
  ResourceGroupToken after = token;
  auto coroutine = [&]() -> Task<int> {
    const int value = co_await track_resources(event, token);
    after = ResourceGroupToken::current();
    co_return value;
  };
  Task<int> task = coroutine();
  task.start();
  EXPECT_EQ(ResourceGroupToken::current(), ResourceGroupToken::root());
  EXPECT_EQ(event.suspended_in, token);
  event.complete();
  EXPECT_EQ(event.resumed_in, token);
  EXPECT_EQ(after, ResourceGroupToken::root());
  EXPECT_EQ(task.result(), 7);
}

TEST(TrackedTest, AwaitableThatNeedsNoSuspensionRunsInItsGroup) {
  const ResourceGroupToken token = group("tracked.ready");
  auto coroutine = [&]() -> Task<bool> {
    const bool ready = co_await track_resources(Ready{}, token) == token;
    const bool declined = co_await track_resources(Declined{}, token) == token;
    co_return ready&& declined;
  };
  Task<bool> task = coroutine();
  task.start();
  EXPECT_TRUE(task.result());
}

TEST(TrackedTest, TaskThatEndsAtOnceLeavesItsAwaiterInItsOwnGroup) {
  const ResourceGroupToken token = group("tracked.task");
  ResourceGroupToken inside;
  ResourceGroupToken after = token;
  auto inner = [&]() -> Task<int> {
    inside = ResourceGroupToken::current();
    co_return 3;
  };
  auto outer = [&]() -> Task<int> {
    const int value = co_await track_resources(inner(), token);
    after = ResourceGroupToken::current();
    co_return value;
  };
  Task<int> task = outer();
  task.start();
  EXPECT_EQ(task.result(), 3);
  EXPECT_EQ(inside, token);
  EXPECT_EQ(after, ResourceGroupToken::root());
}

TEST(TrackedTest, FollowingTaskIsInItsGroupAfterEverySuspension) {
  const ResourceGroupToken token = group("tracked.following");
  Event first;
  Event second;
  std::vector<ResourceGroupToken> seen;
  auto leaf = [&]() -> FollowingTask<int> {
    co_await second;
    seen.push_back(ResourceGroupToken::current());
    co_return 1;
  };
  auto inner = [&]() -> FollowingTask<int> {
    seen.push_back(ResourceGroupToken::current());
    co_await first;
    seen.push_back(ResourceGroupToken::current());
    const int value = co_await leaf();
    seen.push_back(ResourceGroupToken::current());
    co_return value;
  };
  auto outer = [&]() -> Task<int> { co_return co_await track_resources(inner(), token); };
  Task<int> task = outer();
  task.start();
  EXPECT_EQ(ResourceGroupToken::current(), ResourceGroupToken::root());
  first.complete();
  EXPECT_EQ(ResourceGroupToken::current(), ResourceGroupToken::root());
  second.complete();
  EXPECT_EQ(ResourceGroupToken::current(), ResourceGroupToken::root());
  EXPECT_EQ(task.result(), 1);
  EXPECT_EQ(seen, std::vector<ResourceGroupToken>(4, token));
}

TEST(TrackedTest, FollowingTaskCreatedInOneGroupAndTrackedInAnotherBelongsToTheOther) {
  const ResourceGroupToken created_in = group("tracked.created");
  const ResourceGroupToken tracked_in = group("tracked.tracked");
  Event event;
  auto inner = [&]() -> FollowingTask<ResourceGroupToken> {
    co_await event;
    co_return ResourceGroupToken::current();
  };
  std::optional<FollowingTask<ResourceGroupToken>> made;
  {
    const ResourceTrackingGuard guard(created_in);
    made.emplace(inner());
  }
  auto outer = [&]() -> Task<ResourceGroupToken> { co_return co_await track_resources(std::move(*made), tracked_in); };
  Task<ResourceGroupToken> task = outer();
  task.start();
  event.complete();
  EXPECT_EQ(task.result(), tracked_in);
}

TEST(TrackedTest, ExceptionOfTheAwaitablePassesThrough) {
  const ResourceGroupToken token = group("tracked.exception");
  auto inner = [&]() -> Task<int> {
    throw std::runtime_error("body");
    co_return 0;
  };
  auto outer = [&]() -> Task<std::string> {
    std::string caught;
    try {
      co_await track_resources(inner(), token);
    } catch (const std::runtime_error& error) {
      caught = error.what();
    }
    try {
      co_await track_resources(Throwing{}, token);
    } catch (const std::runtime_error& error) {
      caught += error.what();
    }
    if (ResourceGroupToken::current() != ResourceGroupToken::root()) caught += " in the wrong group";
    co_return caught;
  };
  Task<std::string> task = outer();
  task.start();
  EXPECT_EQ(task.result(), "bodysuspend");
}

TEST(TrackedTest, FollowingTaskGoesOnInItsGroupAfterAnAwaiterThatThrowsOrDeclines) {
  const ResourceGroupToken token = group("tracked.declined");
  auto inner = [&]() -> FollowingTask<bool> {
    bool right = co_await Declined{} == token;
    try {
      co_await Throwing{};
    } catch (const std::runtime_error&) {
      right = right && ResourceGroupToken::current() == token;
    }
    right = right && co_await Ready{} == token;
    co_return right;
  };
  auto outer = [&]() -> Task<bool> { co_return co_await track_resources(inner(), token); };
  Task<bool> task = outer();
  task.start();
  EXPECT_TRUE(task.result());
  EXPECT_EQ(ResourceGroupToken::current(), ResourceGroupToken::root());
}

TEST(TrackedTest, CoroutineMayBeDestroyedWhileItWaits) {
  const ResourceGroupToken token = group("tracked.destroyed");
  Event event;
  auto held = std::make_shared<int>(1);
  {
    auto coroutine = [&event, token](std::shared_ptr<int> kept) -> Task<int> {
      co_await track_resources(event, token);
      co_return *kept;
    };
    Task<int> task = coroutine(held);
    task.start();
    EXPECT_EQ(held.use_count(), 2);
  }
  EXPECT_EQ(held.use_count(), 1);
}

TEST(TrackedTest, FactoryMakesItsCoroutineInsideTheGroup) {
  const ResourceGroupToken token = group("tracked.factory");
  ResourceGroupToken made_in;
  auto tracked = track_resources(
      [&] {
        made_in = ResourceGroupToken::current();
        return Ready{};
      },
      token);
  EXPECT_EQ(made_in, token);
  EXPECT_EQ(tracked.token(), token);
  EXPECT_EQ(ResourceGroupToken::current(), ResourceGroupToken::root());
}

TEST(TrackedTest, CurrentGroupIsTakenWhereTheAwaitableIsWrapped) {
  const ResourceGroupToken token = group("tracked.current");
  Event event;
  std::optional<Tracked<Event&>> tracked;
  {
    const ResourceTrackingGuard guard(token);
    tracked.emplace(in_current_resource_group(event));
  }
  auto outer = [&]() -> Task<int> { co_return co_await std::move(*tracked); };
  Task<int> task = outer();
  task.start();
  EXPECT_EQ(event.suspended_in, token);
  event.complete();
  EXPECT_EQ(event.resumed_in, token);
}

TEST(TrackedTest, ResultMayBeAReference) {
  struct ReferenceAwaiter {
    int& value;
    static bool await_ready() noexcept { return true; }
    static void await_suspend(std::coroutine_handle<>) noexcept {}
    int& await_resume() const noexcept { return value; }
  };
  int value = 1;
  auto outer = [&]() -> Task<int> {
    int& reference = co_await track_resources(ReferenceAwaiter{value}, group("tracked.reference"));
    reference = 2;
    co_return 0;
  };
  Task<int> task = outer();
  task.start();
  EXPECT_EQ(value, 2);
}

// Resumes whatever is posted, on several threads.
class Pool {
 public:
  explicit Pool(int threads) {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
  }
  ~Pool() {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  void post(std::coroutine_handle<> handle) {
    {
      const std::lock_guard lock(mutex_);
      ready_.push_back(handle);
    }
    changed_.notify_one();
  }

  struct Hop {
    Pool& pool;
    static bool await_ready() noexcept { return false; }
    void await_suspend(std::coroutine_handle<> handle) const { pool.post(handle); }
    static void await_resume() noexcept {}
  };
  Hop hop() { return {*this}; }

  [[nodiscard]] int strays() const { return strays_.load(); }

 private:
  void run() {
    for (;;) {
      std::coroutine_handle<> handle;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return stopped_ || !ready_.empty(); });
        if (ready_.empty()) return;
        handle = ready_.front();
        ready_.pop_front();
      }
      handle.resume();
      if (ResourceGroupToken::current() != ResourceGroupToken::root()) strays_.fetch_add(1);
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::coroutine_handle<>> ready_;
  std::vector<std::thread> threads_;
  std::atomic<int> strays_{0};
  bool stopped_ = false;
};

TEST(TrackedTest, CoroutinesThatMigrateOverThreadsStayInTheirGroups) {
  constexpr int kCoroutines = 8;
  constexpr int kHops = 2'000;
  std::atomic<int> wrong{0};
  std::vector<Task<int>> tasks;  // outlives the threads that still are in a task's last step
  Pool pool(4);
  std::latch finished(kCoroutines);
  const auto hopper = [&](ResourceGroupToken token) -> FollowingTask<int> {
    for (int i = 0; i < kHops; ++i) {
      co_await pool.hop();
      if (ResourceGroupToken::current() != token) wrong.fetch_add(1);
    }
    co_return kHops;
  };
  const auto outer = [&](ResourceGroupToken token) -> Task<int> {
    const int hops = co_await track_resources(hopper(token), token);
    if (ResourceGroupToken::current() != ResourceGroupToken::root()) wrong.fetch_add(1);
    finished.count_down();
    co_return hops;
  };
  for (int i = 0; i < kCoroutines; ++i) tasks.push_back(outer(group(("tracked.hop" + std::to_string(i)).c_str())));
  for (Task<int>& task : tasks) task.start();
  finished.wait();
  EXPECT_EQ(wrong.load(), 0);
  EXPECT_EQ(pool.strays(), 0);
}

TEST(TrackedTest, BoundCallableRunsInItsGroup) {
  const ResourceGroupToken token = group("tracked.bound");
  const auto bound = token.bind([](int add) { return std::pair(ResourceGroupToken::current(), add + 1); });
  std::pair<ResourceGroupToken, int> seen;
  std::thread([&, call = bound]() mutable { seen = call(41); }).join();
  EXPECT_EQ(seen, std::pair(token, 42));
  EXPECT_EQ(ResourceGroupToken::current(), ResourceGroupToken::root());
}

}  // namespace
}  // namespace bursar
