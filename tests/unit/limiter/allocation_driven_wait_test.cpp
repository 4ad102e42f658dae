#include <bursar/limiter/memory_limiter.h>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <thread>
#include <utility>

#include "unit/limiter/limiter_fixture.h"

namespace bursar {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr std::uint64_t kMebibyte = std::uint64_t{1} << 20;
constexpr std::uint64_t kLimit = 100 * kMebibyte;

thread_local constinit std::uint64_t grown_bytes = 0;

// A limit of 100 MiB, a clock that stands still, and a thread whose growth is told.
class AllocationDrivenWaitTest : public LimiterTest {
 protected:
  AllocationDrivenWaitTest() { grown_bytes = 0; }

  [[nodiscard]] MemoryLimiter limiter_with_growth() {
    MemoryLimiterOptions growth = options();
    growth.thread_growth = []() noexcept { return grown_bytes; };
    return create(std::move(growth), kLimit);
  }
};

TEST_F(AllocationDrivenWaitTest, ACallerThatHasGrownLooksBeforeItGoesOn) {
  usage = 92 * kMebibyte;
  const MemoryLimiter limiter = limiter_with_growth();
  ASSERT_EQ(limiter.begin_wait(), nanoseconds(0));  // a thread's first look
  ASSERT_EQ(readings, 2);
  usage = 100 * kMebibyte;
  grown_bytes += kMebibyte / 2;  // a sixteenth of the room of 8 MiB
  EXPECT_EQ(limiter.begin_wait(), milliseconds(25));
  EXPECT_EQ(readings, 3);
}

TEST_F(AllocationDrivenWaitTest, ACallerThatHasGrownByLessDoesNotLook) {
  usage = 92 * kMebibyte;
  const MemoryLimiter limiter = limiter_with_growth();
  ASSERT_EQ(limiter.begin_wait(), nanoseconds(0));
  usage = 100 * kMebibyte;
  grown_bytes += kMebibyte / 2 - 1;
  EXPECT_EQ(limiter.begin_wait(), nanoseconds(0));
  EXPECT_EQ(readings, 2);
}

TEST_F(AllocationDrivenWaitTest, SmallPiecesAddUp) {
  usage = 92 * kMebibyte;
  const MemoryLimiter limiter = limiter_with_growth();
  ASSERT_EQ(limiter.begin_wait(), nanoseconds(0));
  for (int piece = 0; piece < 80; ++piece) {
    grown_bytes += 64 << 10;
    static_cast<void>(limiter.begin_wait());
  }
  EXPECT_EQ(readings, 2 + 10);  // 5 MiB, half a MiB a look
}

TEST_F(AllocationDrivenWaitTest, TheFirstWaitOfAThreadLooks) {
  usage = 92 * kMebibyte;
  const MemoryLimiter limiter = limiter_with_growth();
  static_cast<void>(limiter.begin_wait());
  ASSERT_EQ(readings, 2);
  std::jthread([&] { static_cast<void>(limiter.begin_wait()); }).join();
  EXPECT_EQ(readings, 3);
}

TEST_F(AllocationDrivenWaitTest, AThreadThatGoesFromOneLimiterToAnotherLooks) {
  usage = 92 * kMebibyte;
  const MemoryLimiter first = limiter_with_growth();
  const MemoryLimiter second = limiter_with_growth();
  static_cast<void>(first.begin_wait());
  ASSERT_EQ(readings, 3);
  static_cast<void>(second.begin_wait());
  EXPECT_EQ(readings, 4);
}

TEST_F(AllocationDrivenWaitTest, WithRoomForAllThatCanGrowNobodyLooks) {
  MemoryLimiterOptions slow = options();
  slow.thread_growth = []() noexcept { return grown_bytes; };
  slow.fastest_growth_per_second = 1000 * kMebibyte;
  usage = 10 * kMebibyte;  // 90 ms of growth: the thread looks each 45 ms, and comes late by 10 ms at most
  const MemoryLimiter limiter = create(std::move(slow), kLimit);
  grown_bytes += 50 * kMebibyte;
  clock.advance(milliseconds(45));
  limiter.wait_for_capacity();
  EXPECT_EQ(readings, 1);
}

TEST_F(AllocationDrivenWaitTest, WithLittleRoomCallersLookForThemselves) {
  MemoryLimiterOptions slow = options();
  slow.thread_growth = []() noexcept { return grown_bytes; };
  slow.fastest_growth_per_second = 1000 * kMebibyte;
  usage = 70 * kMebibyte;  // 30 ms: as long as the thread may be away
  const MemoryLimiter limiter = create(std::move(slow), kLimit);
  limiter.wait_for_capacity();
  EXPECT_EQ(readings, 2);
}

// Pages of a large block that are touched one by one: the thread allocates nothing meanwhile.
TEST_F(AllocationDrivenWaitTest, GrowthWithoutAllocationIsSeenOnceTheLastLookIsOld) {
  usage = 92 * kMebibyte;
  const MemoryLimiter limiter = limiter_with_growth();
  ASSERT_EQ(limiter.begin_wait(), nanoseconds(0));
  usage = 100 * kMebibyte;
  clock.advance(milliseconds(1));
  EXPECT_EQ(limiter.begin_wait(), nanoseconds(0));
  clock.advance(nanoseconds(1));
  EXPECT_EQ(limiter.begin_wait(), milliseconds(25));
}

TEST_F(AllocationDrivenWaitTest, TheFasterPagesAreTouchedTheSoonerTheCallerLooks) {
  usage = 85 * kMebibyte;
  const MemoryLimiter limiter = limiter_with_growth();
  ASSERT_EQ(limiter.begin_wait(), nanoseconds(0));
  clock.advance(milliseconds(7));
  usage = 92 * kMebibyte;  // 1 MiB a ms: the other 8 MiB take 8 ms
  ASSERT_EQ(limiter.begin_wait(), nanoseconds(0));
  usage = 100 * kMebibyte;
  clock.advance(microseconds(500));
  EXPECT_EQ(limiter.begin_wait(), nanoseconds(0));
  clock.advance(microseconds(1));
  EXPECT_EQ(limiter.begin_wait(), milliseconds(25));
}

TEST_F(AllocationDrivenWaitTest, ALookThatFindsPressureGoneIsNoWait) {
  usage = 100 * kMebibyte;
  const MemoryLimiter limiter = limiter_with_growth();
  usage = 50 * kMebibyte;
  limiter.wait_for_capacity();
  EXPECT_EQ(clock.sleeps, 0);
  EXPECT_EQ(limiter.waits_total(), 0u);
}

}  // namespace
}  // namespace bursar
