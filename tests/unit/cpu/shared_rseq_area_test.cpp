// Another user of the thread's restartable-sequences area, as tcmalloc's per-CPU caches and librseq are: counters that
// threads on one processor share without a locked instruction, since the kernel restarts whoever is interrupted.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include <bursar/cpu/clock_choice.h>
#include <bursar/cpu/run_flag.h>
#include <bursar/cpu/thread_clock.h>
#include <gtest/gtest.h>

#include "unit/cpu/burn_cpu.h"

#if defined(__x86_64__)

namespace bursar::cpu {
namespace {

// The first fields of `struct rseq` (Linux: include/uapi/linux/rseq.h).
struct Area {
  std::uint32_t cpu_id_start;
  std::uint32_t cpu_id;
  std::uint64_t rseq_cs;
};

Area* area() {
  return reinterpret_cast<Area*>(static_cast<char*>(__builtin_thread_pointer()) + __rseq_offset);
}

// One plain addition to the counter of processor `cpu`; false where the thread was interrupted before it, or is on
// another processor. Leaves its pointer in the area, as users of it do.
bool add_on(std::uint32_t cpu, std::uint64_t* counter) {
  asm goto(
      ".pushsection .data.rel.ro, \"aw\"\n"
      ".balign 32\n"
      "3: .long 0, 0\n"
      ".quad 1f, 2f - 1f, 4f\n"
      ".popsection\n"
      ".pushsection .text.unlikely, \"ax\"\n"
      ".byte 0x0f, 0xb9, 0x3d\n"
      ".long 0x53053053\n"
      "4: jmp %l[interrupted]\n"
      ".popsection\n"
      "leaq 3b(%%rip), %%rax\n"
      "movq %%rax, %[rseq_cs]\n"
      "1: cmpl %[cpu], %[cpu_id]\n"
      "jnz %l[interrupted]\n"
      "addq $1, %[counter]\n"
      "2:\n"
      :
      : [rseq_cs] "m"(area()->rseq_cs), [cpu_id] "m"(area()->cpu_id), [cpu] "r"(cpu), [counter] "m"(*counter)
      : "rax", "memory", "cc"
      : interrupted);
  return true;
interrupted:
  return false;
}

class SharedRseqArea : public ::testing::Test {
 protected:
  void SetUp() override {
    before_ = clock_choice().kind;
    if (!RunFlag::exists() || !force_clock(ClockKind::Flag)) GTEST_SKIP() << "this machine has no clock `flag`";
  }
  void TearDown() override { force_clock(before_); }

 private:
  ClockKind before_ = ClockKind::Undecided;
};

TEST_F(SharedRseqArea, WorksForBothOfItsUsers) {
  constexpr std::size_t kThreads = 4;
  constexpr int kAdditions = 100'000;
  constexpr std::size_t kCacheLineWords = 8;
  std::vector<std::uint64_t> counters(std::size_t{std::thread::hardware_concurrency()} * 64 * kCacheLineWords);
  std::atomic<std::uint64_t> added{0};
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      ThreadClock clock;
      std::uint64_t laps = 0;
      for (int i = 0; i < kAdditions; ++i) {
        const std::uint32_t cpu = area()->cpu_id_start;
        if (add_on(cpu, &counters[cpu * kCacheLineWords])) added.fetch_add(1, std::memory_order_relaxed);
        laps += clock.lap();
      }
      const std::uint64_t truth = thread_cpu_nanos();
      EXPECT_LE(laps, truth + truth / 1'000 + 50'000);
      EXPECT_GE(laps + truth / 100 + testing::kMillisecond, truth);
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::uint64_t sum = 0;
  for (const std::uint64_t counter : counters) sum += counter;
  EXPECT_EQ(sum, added.load());
  EXPECT_GT(sum, kThreads * kAdditions / 2);
}

TEST_F(SharedRseqArea, ALapInWhichAnotherTookItIsMeasuredByTheKernel) {
  std::thread([] {
    ThreadClock clock;
    for (int i = 0; i < 40; ++i) {
      testing::burn_cpu(testing::kMillisecond);
      static_cast<void>(clock.lap());
    }
    std::vector<std::uint64_t> counters(std::size_t{std::thread::hardware_concurrency()} * 64);
    std::uint64_t sleeping = 0;
    std::uint64_t truth = 0;
    constexpr int kSleeps = 100;
    for (int i = 0; i < kSleeps; ++i) {
      static_cast<void>(clock.lap());
      const std::uint64_t before = thread_cpu_nanos();
      const timespec shortest{.tv_sec = 0, .tv_nsec = 1};  // some 50 us, by the kernel's timers
      nanosleep(&shortest, nullptr);
      // The kernel has cleared the pointer, and the other user sets it again, to its own.
      add_on(area()->cpu_id_start, &counters[area()->cpu_id_start]);
      truth += thread_cpu_nanos() - before;
      sleeping += clock.lap();
    }
    constexpr std::uint64_t kCostOfAsking = kSleeps * 1'000;
    EXPECT_LE(sleeping, truth + truth / 4 + kCostOfAsking) << "truth " << truth;
  }).join();
}

}  // namespace
}  // namespace bursar::cpu

#endif
