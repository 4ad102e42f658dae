#include <bursar/limiter/cpu_budget.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

namespace bursar {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

TEST(CpuBudgetTest, WithNothingSavedARoundWaitsUntilItIsEarned) {
  CpuBudget budget(0.001, milliseconds(10));
  // The smoothed price is a sixteenth of the first one.
  budget.note(seconds(0), microseconds(16));
  EXPECT_EQ(budget.least_interval(), milliseconds(17));
}

TEST(CpuBudgetTest, WhatWasSavedIsSpentFreely) {
  CpuBudget budget(0.001, milliseconds(10));
  budget.note(seconds(5), microseconds(10));
  for (int round = 0; round < 400; ++round) {
    EXPECT_EQ(budget.least_interval(), nanoseconds(0)) << round;
    budget.note(milliseconds(1), microseconds(10));
  }
}

TEST(CpuBudgetTest, NoMoreIsSavedThanMayBe) {
  CpuBudget budget(0.001, milliseconds(10));
  budget.note(std::chrono::hours(10), nanoseconds(0));
  budget.note(nanoseconds(0), milliseconds(9));
  EXPECT_EQ(budget.least_interval(), nanoseconds(0));
  budget.note(nanoseconds(0), milliseconds(1));
  EXPECT_GT(budget.least_interval(), nanoseconds(0));
}

TEST(CpuBudgetTest, ARoundIsNeverPutOffForMoreThanASecond) {
  CpuBudget budget(0.001, milliseconds(10));
  budget.note(nanoseconds(0), seconds(10));
  EXPECT_EQ(budget.least_interval(), seconds(1));
  EXPECT_EQ(budget.saving_interval(), seconds(1));
}

TEST(CpuBudgetTest, RoundsAtTheSavingIntervalTakeHalfOfTheShare) {
  CpuBudget budget(0.001, milliseconds(10));
  for (int round = 0; round < 1000; ++round) budget.note(milliseconds(40), microseconds(20));
  EXPECT_NEAR(static_cast<double>(budget.saving_interval().count()), 40e6, 1.0);
}

// A thread that waits for as long as it is told keeps to the share, whatever its rounds cost, but for one round.
RC_GTEST_PROP(CpuBudgetLaws, TheShareIsKeptInTheLongRun, (std::vector<std::uint8_t> costs)) {
  constexpr double kShare = 0.01;
  CpuBudget budget(kShare, nanoseconds(0));
  nanoseconds elapsed{0};
  nanoseconds used{0};
  nanoseconds dearest{0};
  for (const std::uint8_t cost : costs) {
    const auto interval = std::max<nanoseconds>(budget.least_interval(), milliseconds(1));
    const auto price = microseconds(cost);
    budget.note(interval, price);
    elapsed += interval;
    used += price;
    dearest = std::max<nanoseconds>(dearest, price);
  }
  RC_ASSERT(static_cast<double>((used - dearest).count()) <= kShare * static_cast<double>(elapsed.count()) + 1.0);
}

}  // namespace
}  // namespace bursar
