#include <bursar/limiter/memory_limiter.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "unit/limiter/limiter_fixture.h"

namespace bursar {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

class MemoryReliefTest : public LimiterTest {
 protected:
  // Each purge makes usage what `purge_leaves` says, where it says something.
  [[nodiscard]] MemoryLimiterOptions purging() {
    MemoryLimiterOptions result = options();
    result.purge = [this] {
      ++purges;
      if (purge_leaves) usage = purge_leaves;
    };
    result.live_bytes = [this] { return live; };
    return result;
  }

  // A component that frees so many bytes of what it is asked for, as long as it has some.
  [[nodiscard]] ReclaimRegistration cache(const MemoryLimiter& limiter, std::uint64_t bytes) {
    return limiter.on_reclaim(
        "cache", [] { return std::uint64_t{0}; },
        [this, bytes](std::uint64_t wanted) {
          wanted_bytes.push_back(wanted);
          *usage -= bytes;
          return bytes;
        });
  }

  static std::vector<LimiterEventKind> kinds(const MemoryLimiter& limiter) {
    std::vector<LimiterEventKind> found;
    for (const LimiterEvent& event : limiter.events()) found.push_back(event.kind);
    return found;
  }

  int purges = 0;
  std::optional<std::uint64_t> purge_leaves;
  std::optional<std::uint64_t> live;
  std::vector<std::uint64_t> wanted_bytes;
};

TEST_F(MemoryReliefTest, WhileMemoryIsGivenBackCallersLookForThemselves) {
  usage = 960;
  MemoryLimiterOptions slow = options();
  // So that there is room for ages, and callers need not look for its sake.
  slow.fastest_growth_per_second = 1;
  std::optional<LimiterState> seen;
  const MemoryLimiter* limiter = nullptr;
  slow.purge = [&] {
    if (limiter == nullptr || seen) return;
    usage = 930;
    clock.advance(seconds(1));
    static_cast<void>(limiter->begin_wait());
    EXPECT_EQ(limiter->active_backoff(), nanoseconds(0));
    usage = 1050;
    clock.advance(seconds(1));
    static_cast<void>(limiter->begin_wait());
    seen = limiter->state();
  };
  const MemoryLimiter made = create(std::move(slow));
  limiter = &made;
  clock.advance(seconds(60));
  made.poll();
  EXPECT_EQ(seen, LimiterState::Hard);
}

TEST_F(MemoryReliefTest, AComponentThatHasNothingToGiveBackIsAskedAllTheSame) {
  usage = 980;
  const MemoryLimiter limiter = create(options());
  int asked = 0;
  const ReclaimRegistration empty = limiter.on_reclaim(
      "empty", [] { return std::uint64_t{0}; },
      [&](std::uint64_t) {
        ++asked;
        return std::uint64_t{0};
      });
  for (int i = 1; i <= 3; ++i) {
    clock.advance(seconds(1));
    limiter.poll();
    EXPECT_EQ(asked, i);
  }
}

TEST_F(MemoryReliefTest, WithoutPressureTheAllocatorIsLeftAlone) {
  usage = 949;
  const MemoryLimiter limiter = create(purging());
  limiter.poll();
  EXPECT_EQ(purges, 0);
}

TEST_F(MemoryReliefTest, TheAllocatorIsAskedForItsFreeMemoryInSoftAlready) {
  usage = 960;
  live = 950;
  purge_leaves = 800;
  const MemoryLimiter limiter = create(purging());
  EXPECT_EQ(purges, 1);
  EXPECT_EQ(limiter.state(), LimiterState::Normal);
  EXPECT_EQ(limiter.active_backoff(), nanoseconds(0));
  EXPECT_EQ(kinds(limiter),
            (std::vector{LimiterEventKind::StateChanged, LimiterEventKind::StateChanged, LimiterEventKind::Purged}));
  EXPECT_EQ(limiter.events().back().freed_bytes, 160u);
}

TEST_F(MemoryReliefTest, TheAllocatorIsAskedOnceASecondAtMost) {
  usage = 1000;
  const MemoryLimiter limiter = create(purging());
  ASSERT_EQ(purges, 1);
  clock.advance(milliseconds(999));
  limiter.poll();
  EXPECT_EQ(purges, 1);
  clock.advance(milliseconds(1));
  limiter.poll();
  EXPECT_EQ(purges, 2);
}

TEST_F(MemoryReliefTest, APurgeThatTakesLongIsDoneLessOften) {
  usage = 1000;
  MemoryLimiterOptions slow = options();
  slow.purge = [this] {
    ++purges;
    clock.advance(seconds(1));
  };
  const MemoryLimiter limiter = create(std::move(slow));
  clock.advance(seconds(20) - nanoseconds(1));
  limiter.poll();
  EXPECT_EQ(purges, 1);
  clock.advance(nanoseconds(1));
  limiter.poll();
  EXPECT_EQ(purges, 2);
}

TEST_F(MemoryReliefTest, APurgeThatThrowsIsAPurgeThatFreedNothing) {
  usage = 1000;
  MemoryLimiterOptions broken = options();
  broken.purge = [] { throw std::runtime_error("broken"); };
  EXPECT_EQ(create(std::move(broken)).state(), LimiterState::Hard);
}

TEST_F(MemoryReliefTest, ACallerOfTheWaitNeverPurges) {
  usage = 500;
  const MemoryLimiter limiter = create(purging());
  usage = 1000;
  clock.advance(milliseconds(2));
  EXPECT_EQ(limiter.begin_wait(), milliseconds(25));
  EXPECT_EQ(purges, 0);
}

TEST_F(MemoryReliefTest, PagesThatTheAllocatorKeepsDoNotHoldTheProcessBackForEver) {
  usage = 980;
  live = 400;
  const MemoryLimiter limiter = create(purging());
  ASSERT_EQ(purges, 1);
  EXPECT_EQ(limiter.state(), LimiterState::Normal);
  limiter.poll();
  EXPECT_EQ(limiter.state(), LimiterState::Normal);
  EXPECT_EQ(limiter.active_backoff(), nanoseconds(0));
}

TEST_F(MemoryReliefTest, KeptPagesAreTrustedOnlyOnceTheAllocatorWasAskedForThem) {
  usage = 500;
  live = 400;
  const MemoryLimiter limiter = create(purging());
  usage = 975;
  clock.advance(milliseconds(2));
  EXPECT_EQ(limiter.begin_wait(), milliseconds(13));
  limiter.poll();
  EXPECT_EQ(limiter.begin_wait(), nanoseconds(0));
}

TEST_F(MemoryReliefTest, WithoutAnyoneToAskKeptPagesAreTrusted) {
  usage = 980;
  live = 400;
  MemoryLimiterOptions without = purging();
  without.purge = std::function<void()>();
  EXPECT_EQ(create(std::move(without)).state(), LimiterState::Normal);
}

TEST_F(MemoryReliefTest, ObservingJudgesKeptPagesAsItsPeersDo) {
  usage = 980;
  live = 400;
  MemoryLimiterOptions observing = purging();
  observing.mode = LimiterMode::Observe;
  EXPECT_EQ(create(std::move(observing)).state(), LimiterState::Normal);
  EXPECT_EQ(purges, 0);
}

TEST_F(MemoryReliefTest, LiveBytesAreSummedUpOnlyWhereTheyMatterAndNotOften) {
  int sums = 0;
  MemoryLimiterOptions counting = purging();
  counting.live_bytes = [&sums] {
    ++sums;
    return std::uint64_t{400};
  };
  usage = 900;
  const MemoryLimiter limiter = create(std::move(counting));
  limiter.poll();
  EXPECT_EQ(sums, 0);
  usage = 980;
  limiter.poll();
  EXPECT_EQ(sums, 1);
  clock.advance(milliseconds(9));
  limiter.poll();
  EXPECT_EQ(sums, 1);
  clock.advance(milliseconds(1));
  limiter.poll();
  EXPECT_EQ(sums, 2);
}

TEST_F(MemoryReliefTest, UsageThatRisesAfterAllIsADangerWhateverLiveBytesSay) {
  usage = 960;
  live = 400;
  const MemoryLimiter limiter = create(purging());
  ASSERT_EQ(limiter.state(), LimiterState::Normal);
  usage = 971;
  limiter.poll();
  EXPECT_EQ(limiter.state(), LimiterState::Soft);
  EXPECT_GT(limiter.active_backoff(), milliseconds(10));
}

TEST_F(MemoryReliefTest, AnOldPurgeSaysNothingOfNewGrowth) {
  usage = 960;
  live = 400;
  const MemoryLimiter limiter = create(purging());
  ASSERT_EQ(limiter.state(), LimiterState::Normal);
  usage = 700;
  limiter.poll();
  usage = 960;
  clock.advance(milliseconds(2));
  EXPECT_GT(limiter.begin_wait(), nanoseconds(0));
}

TEST_F(MemoryReliefTest, ComponentsAreAskedForWhatIsBeyondNinetyPercent) {
  usage = 960;
  const MemoryLimiter limiter = create(options());
  const auto registration = cache(limiter, 60);
  limiter.poll();
  EXPECT_EQ(wanted_bytes, (std::vector<std::uint64_t>{60}));
  EXPECT_EQ(limiter.state(), LimiterState::Normal);
  const auto events = limiter.events();
  const auto reclaimed = std::ranges::find(events, LimiterEventKind::Reclaimed, &LimiterEvent::kind);
  ASSERT_NE(reclaimed, events.end());
  EXPECT_EQ(reclaimed->message, "cache");
  EXPECT_EQ(reclaimed->freed_bytes, 60u);
}

TEST_F(MemoryReliefTest, ComponentsAreAskedTenTimesASecondAtMost) {
  usage = 1000;
  const MemoryLimiter limiter = create(options());
  const auto registration = cache(limiter, 1);
  limiter.poll();
  clock.advance(milliseconds(99));
  limiter.poll();
  EXPECT_EQ(wanted_bytes.size(), 1u);
  clock.advance(milliseconds(1));
  limiter.poll();
  EXPECT_EQ(wanted_bytes.size(), 2u);
}

TEST_F(MemoryReliefTest, WhatComponentsGaveTheAllocatorIsAskedForAtOnce) {
  usage = 1000;
  const MemoryLimiter limiter = create(purging());
  ASSERT_EQ(purges, 1);
  const auto registration = cache(limiter, 100);
  limiter.poll();
  EXPECT_EQ(purges, 2);
}

TEST_F(MemoryReliefTest, WhereThePurgeWasEnoughNoComponentIsAsked) {
  usage = 500;
  purge_leaves = 850;
  const MemoryLimiter limiter = create(purging());
  const auto registration = cache(limiter, 100);
  usage = 1000;
  limiter.poll();
  EXPECT_EQ(purges, 1);
  EXPECT_TRUE(wanted_bytes.empty());
}

TEST_F(MemoryReliefTest, ObservingAsksNobodyForAnything) {
  usage = 1000;
  MemoryLimiterOptions observing = purging();
  observing.mode = LimiterMode::Observe;
  const MemoryLimiter limiter = create(std::move(observing));
  const auto registration = cache(limiter, 100);
  limiter.poll();
  EXPECT_EQ(purges, 0);
  EXPECT_TRUE(wanted_bytes.empty());
  EXPECT_EQ(limiter.state(), LimiterState::Hard);
}

TEST_F(MemoryReliefTest, NoopEntersNobody) {
  const auto registration = MemoryLimiter::noop().on_reclaim(
      "cache", [] { return std::uint64_t{0}; }, [](std::uint64_t) { return std::uint64_t{0}; });
}

TEST_F(MemoryReliefTest, ARegistrationMayOutliveItsLimiter) {
  std::optional<MemoryLimiter> limiter = create(options());
  const auto registration = cache(*limiter, 1);
  limiter.reset();
}

TEST_F(LimiterTest, StateChangesAreRecordedWithWhatTheyCameFrom) {
  const MemoryLimiter limiter = create(options());
  usage = 975;
  limiter.poll();
  usage = 900;
  limiter.poll();
  const auto events = limiter.events();
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(describe(events[0]), "state normal -> soft, 975 B of 1000 B (97.5 %), back-off 13.0 ms");
  EXPECT_EQ(describe(events[1]), "state soft -> normal, 900 B of 1000 B (90.0 %)");
  EXPECT_EQ(limiter.events(events[0].sequence).size(), 1u);
}

TEST_F(LimiterTest, EventsAreToldOnce) {
  std::vector<std::string> told;
  MemoryLimiterOptions telling = options();
  telling.on_event = [&told](const LimiterEvent& event) { told.push_back(describe(event)); };
  usage = 975;
  const MemoryLimiter limiter = create(std::move(telling));
  limiter.poll();
  limiter.poll();
  EXPECT_EQ(told, (std::vector<std::string>{"state normal -> soft, 975 B of 1000 B (97.5 %), back-off 13.0 ms"}));
}

TEST_F(LimiterTest, WhatACallerOfTheWaitFoundIsToldByTheNextPoll) {
  int told = 0;
  MemoryLimiterOptions telling = options();
  telling.on_event = [&told](const LimiterEvent&) { ++told; };
  usage = 940;
  const MemoryLimiter limiter = create(std::move(telling));
  usage = 1000;
  clock.advance(milliseconds(2));
  static_cast<void>(limiter.begin_wait());
  EXPECT_EQ(limiter.state(), LimiterState::Hard);
  EXPECT_EQ(told, 0);
  limiter.poll();
  EXPECT_EQ(told, 1);
}

TEST_F(LimiterTest, ASensorThatCannotBeReadIsAnEventThatSaysWhichAndWhy) {
  std::error_code error;
  MemoryLimiterOptions breaking = options();
  breaking.usage_sensors = {MemorySensor("the file", [&error]() -> MemorySensor::Reading {
    if (error) return std::unexpected(error);
    return 10;
  })};
  const MemoryLimiter limiter = create(std::move(breaking));
  error = std::make_error_code(std::errc::permission_denied);
  limiter.poll();
  clock.advance(seconds(1));
  limiter.poll();
  error.clear();
  limiter.poll();
  const auto events = limiter.events();
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(describe(events[0]), "no figure from the file: Permission denied; its last good one counts for a while");
  EXPECT_EQ(describe(events[1]),
            "no figure from the file: Permission denied; it does not count until it answers again");
  EXPECT_EQ(describe(events[2]), "figures again from the file");
}

TEST_F(LimiterTest, ALimitBelowTheUsageIsNoticed) {
  usage = 1500;
  const MemoryLimiter limiter = create(options());
  EXPECT_EQ(describe(limiter.events().back()),
            "the process uses 1.5 KiB already, more than its effective limit of 1000 B; the limit should be higher");
}

class ChangingLimitTest : public LimiterTest {
 protected:
  [[nodiscard]] MemoryLimiter create_watching() {
    MemoryLimiterOptions watching = options();
    watching.effective_limit = MemorySensor("memory.max", [this] { return limit; });
    return create(std::move(watching));
  }
  void poll_after_a_second(const MemoryLimiter& limiter) {
    clock.advance(seconds(1));
    limiter.poll();
  }

  std::optional<std::uint64_t> limit = kLimitBytes;
};

TEST_F(ChangingLimitTest, ALimitThatChangesHoldsWithinASecond) {
  usage = 960;
  const MemoryLimiter limiter = create_watching();
  ASSERT_EQ(limiter.state(), LimiterState::Soft);
  limit = 2000;
  poll_after_a_second(limiter);
  EXPECT_EQ(limiter.effective_limit_bytes(), 2000u);
  EXPECT_EQ(limiter.state(), LimiterState::Normal);
  EXPECT_EQ(describe(limiter.events()[1]), "the effective memory limit is now 2 KiB; it was 1000 B");
}

TEST_F(ChangingLimitTest, ALimitThatVanishesCountsOnAndIsNoticedOnce) {
  const MemoryLimiter limiter = create_watching();
  limit.reset();
  for (int i = 0; i < 3; ++i) poll_after_a_second(limiter);
  EXPECT_EQ(limiter.effective_limit_bytes(), kLimitBytes);
  ASSERT_EQ(limiter.events().size(), 1u);
  EXPECT_EQ(describe(limiter.events().front()),
            "no limit from memory.max: Resource temporarily unavailable; the last one, 1000 B, counts on");
}

TEST_F(ChangingLimitTest, ALimitOfZeroIsNone) {
  const MemoryLimiter limiter = create_watching();
  limit = 0;
  poll_after_a_second(limiter);
  EXPECT_EQ(limiter.effective_limit_bytes(), kLimitBytes);
}

}  // namespace
}  // namespace bursar
