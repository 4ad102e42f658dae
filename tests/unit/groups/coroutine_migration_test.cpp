// A million suspensions of coroutines that go from thread to thread: each byte and each nanosecond is its group's.

#include <bursar/alloc/block_tag.h>
#include <bursar/cpu/thread_clock.h>
#include <bursar/groups/group_following_promise.h>
#include <bursar/groups/resource_group_registry.h>
#include <bursar/groups/tracked.h>

#include <gtest/gtest.h>
#include <malloc.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <latch>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "unit/groups/plain_task.h"

namespace bursar {
namespace {

constexpr std::size_t kCoroutines = 8;
constexpr int kHops = 125'000;  // each
constexpr int kThreads = 4;

template <typename T>
using FollowingTask = testing::Task<T, GroupFollowingPromise>;

// Resumes whatever is posted, on several threads. Allocates nothing once it is made.
class Pool {
 public:
  Pool() {
    for (int i = 0; i < kThreads; ++i) threads_.emplace_back([this] { run(); });
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

  struct Hop {
    Pool& pool;
    static bool await_ready() noexcept { return false; }
    void await_suspend(std::coroutine_handle<> handle) const { pool.post(handle); }
    static void await_resume() noexcept {}
  };
  Hop hop() { return {*this}; }

 private:
  void post(std::coroutine_handle<> handle) {
    {
      const std::lock_guard lock(mutex_);
      ready_[(first_ + count_++) % kCoroutines] = handle;
    }
    changed_.notify_one();
  }

  void run() {
    for (;;) {
      std::coroutine_handle<> handle;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return stopped_ || count_ != 0; });
        if (count_ == 0) return;
        handle = ready_[first_];
        first_ = (first_ + 1) % kCoroutines;
        --count_;
      }
      handle.resume();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::array<std::coroutine_handle<>, kCoroutines> ready_;
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  bool stopped_ = false;
  std::vector<std::thread> threads_;
};

struct OwnBooks {
  std::uint64_t allocated_bytes = 0;
  std::uint64_t allocated_objects = 0;
  std::uint64_t cpu_nanos = 0;
  int wrong_groups = 0;
};

FollowingTask<int> wander(Pool& pool, ResourceGroupToken token, OwnBooks& books) {
  std::array<void*, 16> held{};
  for (int i = 0; i < kHops; ++i) {
    co_await pool.hop();
    const std::uint64_t start = cpu::thread_cpu_nanos();
    if (ResourceGroupToken::current() != token) ++books.wrong_groups;
    void*& block = held[static_cast<std::size_t>(i) % held.size()];
    std::free(block);
    block = std::malloc(static_cast<std::size_t>(i) % 900 + 1);
    books.allocated_bytes += malloc_usable_size(block) + alloc::kTagBytes;
    ++books.allocated_objects;
    books.cpu_nanos += cpu::thread_cpu_nanos() - start;
  }
  for (void* block : held) std::free(block);
  co_return kHops;
}

testing::Task<int> follow(Pool& pool, ResourceGroupToken token, OwnBooks& books, std::latch& finished) {
  auto wandering = track_resources([&] { return wander(pool, token, books); }, token);
  const int hops = co_await std::move(wandering);
  if (ResourceGroupToken::current() != ResourceGroupToken::root()) ++books.wrong_groups;
  finished.count_down();
  co_return hops;
}

TEST(CoroutineMigration, AMillionHopsOverFourThreadsLeaveEveryByteAndNanosecondWithItsGroup) {
  std::array<ResourceGroupToken, kCoroutines> tokens;
  std::array<OwnBooks, kCoroutines> books;
  std::latch finished(kCoroutines);
  {
    std::vector<testing::Task<int>> tasks;
    Pool pool;
    for (std::size_t i = 0; i < kCoroutines; ++i) {
      tokens[i] = ResourceGroupRegistry::global().register_resource_group("migration." + std::to_string(i));
      tasks.push_back(follow(pool, tokens[i], books[i], finished));
    }
    for (auto& task : tasks) task.start();
    finished.wait();
  }
  const bool tracked = ResourceGroupRegistry::allocator_installed();
  for (std::size_t i = 0; i < kCoroutines; ++i) {
    SCOPED_TRACE(i);
    EXPECT_EQ(books[i].wrong_groups, 0);
    const ResourceStatsSnapshot totals = tokens[i].stats().totals();
    if (tracked) {
      // Beside what the coroutine counted, its frame.
      EXPECT_EQ(totals.allocated_objects, books[i].allocated_objects + 1);
      EXPECT_GT(totals.allocated_bytes, books[i].allocated_bytes);
      EXPECT_LT(totals.allocated_bytes, books[i].allocated_bytes + 2'000);
      EXPECT_EQ(totals.live_bytes(), 0U);
      EXPECT_EQ(totals.live_objects(), 0U);
    }
    EXPECT_GE(static_cast<double>(totals.cpu_time_nanos), 0.99 * static_cast<double>(books[i].cpu_nanos));
  }
  const std::uint64_t attributed = ResourceGroupRegistry::global().totals().cpu_time_nanos;
  const std::uint64_t process = cpu::process_cpu_nanos();
  EXPECT_NEAR(static_cast<double>(attributed), static_cast<double>(process), 0.01 * static_cast<double>(process));
}

}  // namespace
}  // namespace bursar
