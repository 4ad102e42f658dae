// How an existing task library is accounted for: bind what is handed to it.

#include <bursar/cpu/thread_clock.h>
#include <bursar/groups/resource_group_registry.h>

#include <gtest/gtest.h>

#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>
#include <tbb/task_group.h>

#include <atomic>
#include <cstdint>
#include <vector>

namespace bursar {
namespace {

ResourceGroupToken group(const char* name) {
  return ResourceGroupRegistry::global().register_resource_group(name);
}

void burn(std::uint64_t nanos) {
  const std::uint64_t end = cpu::thread_cpu_nanos() + nanos;
  while (cpu::thread_cpu_nanos() < end) {
  }
}

TEST(OneTbb, TasksOfAGroupRunInTheResourceGroupThatTheyAreBoundTo) {
  const ResourceGroupToken parsing = group("tbb.parsing");
  const ResourceGroupToken writing = group("tbb.writing");
  constexpr int kTasks = 100;
  constexpr std::uint64_t kParseNanos = 1'000'000;
  constexpr std::uint64_t kWriteNanos = 500'000;
  std::atomic<int> wrong{0};
  const auto task = [&wrong](ResourceGroupToken token, std::uint64_t nanos) {
    return token.bind([&wrong, token, nanos] {
      if (ResourceGroupToken::current() != token) wrong.fetch_add(1);
      burn(nanos);
    });
  };
  tbb::task_arena arena(4);
  arena.execute([&] {
    tbb::task_group tasks;
    for (int i = 0; i < kTasks; ++i) {
      tasks.run(task(parsing, kParseNanos));
      tasks.run(task(writing, kWriteNanos));
    }
    tasks.wait();
  });
  EXPECT_EQ(wrong.load(), 0);
  EXPECT_EQ(ResourceGroupToken::current(), ResourceGroupToken::root());
  EXPECT_EQ(parsing.stats().entries(), static_cast<std::uint64_t>(kTasks));
  const auto cpu_nanos = [](ResourceGroupToken token) {
    return static_cast<double>(token.stats().totals().cpu_time_nanos);
  };
  EXPECT_NEAR(cpu_nanos(parsing), 1.0 * kTasks * kParseNanos, 0.05 * kTasks * kParseNanos);
  EXPECT_NEAR(cpu_nanos(writing), 1.0 * kTasks * kWriteNanos, 0.05 * kTasks * kWriteNanos);
}

TEST(OneTbb, TheBodyOfAParallelLoopRunsInTheGroupOfWhoeverStartedIt) {
  const ResourceGroupToken token = group("tbb.loop");
  std::atomic<int> wrong{0};
  tbb::task_arena arena(4);
  const auto body = [&](std::size_t) {
    if (ResourceGroupToken::current() != token) wrong.fetch_add(1);
    burn(10'000);
  };
  {
    const ResourceTrackingGuard guard(token);
    arena.execute(
        [&] { tbb::parallel_for(std::size_t{0}, std::size_t{1'000}, ResourceGroupToken::current().bind(body)); });
  }
  EXPECT_EQ(wrong.load(), 0);
}

}  // namespace
}  // namespace bursar
