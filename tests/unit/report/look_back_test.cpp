#include "report/look_back.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>

namespace bursar::report_detail {
namespace {

using std::chrono::milliseconds;

class LookBackTest : public testing::Test {
 protected:
  // Keeps a report at a time, and answers how old the one is that it is compared with.
  std::optional<std::chrono::nanoseconds> age_at(milliseconds time) {
    const auto earlier = look_back_.keep(std::make_shared<const ResourceReport>(), LookBack::TimePoint(time));
    return earlier ? std::optional(earlier->elapsed) : std::nullopt;
  }

 private:
  LookBack look_back_;
};

TEST_F(LookBackTest, KnowsNothingInTheFirstSecond) {
  EXPECT_EQ(age_at(milliseconds(5'000)), std::nullopt);
  EXPECT_EQ(age_at(milliseconds(5'999)), std::nullopt);
  EXPECT_EQ(age_at(milliseconds(6'000)), milliseconds(1'000));
}

TEST_F(LookBackTest, OfLooksEachSecondComparesWithTheOneBefore) {
  EXPECT_EQ(age_at(milliseconds(0)), std::nullopt);
  for (int second = 1; second < 5; ++second) EXPECT_EQ(age_at(milliseconds(1'000 * second)), milliseconds(1'000));
}

TEST_F(LookBackTest, OfManyLooksASecondIsBetweenOneAndTwoSecondsOld) {
  for (int i = 0; i < 100; ++i) {
    const auto age = age_at(milliseconds(70 * i));
    if (70 * i < 1'000) continue;
    ASSERT_TRUE(age.has_value());
    EXPECT_GE(*age, milliseconds(1'000));
    EXPECT_LT(*age, milliseconds(2'100));
  }
}

TEST_F(LookBackTest, OfRareLooksComparesWithTheLast) {
  EXPECT_EQ(age_at(milliseconds(0)), std::nullopt);
  EXPECT_EQ(age_at(milliseconds(60'000)), milliseconds(60'000));
  EXPECT_EQ(age_at(milliseconds(90'000)), milliseconds(30'000));
}

}  // namespace
}  // namespace bursar::report_detail
