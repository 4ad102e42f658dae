#include <bursar/limiter/usage_gauge.h>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>

namespace bursar {
namespace {

using std::chrono::milliseconds;

constexpr Clock::TimePoint kStart{std::chrono::hours(1)};

MemorySensor reads(const std::optional<std::uint64_t>& variable) {
  return {"the figure", [&variable] { return variable; }};
}

TEST(UsageGaugeTest, TheGreatestFigureCounts) {
  std::optional<std::uint64_t> low = 10;
  std::optional<std::uint64_t> high = 30;
  UsageGauge gauge({reads(low), reads(high)}, milliseconds(3));
  EXPECT_EQ(gauge.sense(kStart), 30u);
  low = 40;
  EXPECT_EQ(gauge.sense(kStart), 40u);
}

TEST(UsageGaugeTest, WithoutSensorsThereIsNoFigure) {
  EXPECT_EQ(UsageGauge({}, milliseconds(3)).sense(kStart), std::nullopt);
}

TEST(UsageGaugeTest, ASensorThatFailsKeepsItsLastGoodFigureForAWhile) {
  std::optional<std::uint64_t> bytes = 10;
  UsageGauge gauge({reads(bytes)}, milliseconds(2));
  ASSERT_EQ(gauge.sense(kStart), 10u);
  bytes.reset();
  EXPECT_EQ(gauge.sense(kStart), 10u);
  EXPECT_EQ(gauge.sense(kStart + milliseconds(1)), 10u);
  EXPECT_EQ(gauge.sense(kStart + milliseconds(2)), std::nullopt);
  EXPECT_EQ(gauge.failed_readings(), 3u);
}

TEST(UsageGaugeTest, AGoodReadingStartsTheTimeAnew) {
  std::optional<std::uint64_t> bytes = 10;
  UsageGauge gauge({reads(bytes)}, milliseconds(2));
  Clock::TimePoint now = kStart;
  for (int i = 0; i < 5; ++i) {
    bytes = 10;
    EXPECT_EQ(gauge.sense(now), 10u);
    bytes.reset();
    EXPECT_EQ(gauge.sense(now += milliseconds(1)), 10u);
  }
  EXPECT_EQ(gauge.failed_readings(), 5u);
}

TEST(UsageGaugeTest, ALongTimeWithoutALookIsNoFailure) {
  std::optional<std::uint64_t> bytes = 10;
  UsageGauge gauge({reads(bytes)}, milliseconds(2));
  ASSERT_EQ(gauge.sense(kStart), 10u);
  EXPECT_EQ(gauge.sense(kStart + milliseconds(50)), 10u);
}

TEST(UsageGaugeTest, EachChangeOfASensorsHealthIsToldOnce) {
  std::optional<std::uint64_t> bytes = 10;
  UsageGauge gauge({reads(bytes)}, milliseconds(1));
  const auto health_at = [&gauge](milliseconds time) -> std::optional<UsageGauge::Health> {
    static_cast<void>(gauge.sense(kStart + time));
    if (gauge.changes().empty()) return std::nullopt;
    EXPECT_EQ(*gauge.changes().front().sensor, "the figure");
    return gauge.changes().front().health;
  };
  EXPECT_EQ(health_at(milliseconds(0)), std::nullopt);
  bytes.reset();
  EXPECT_EQ(health_at(milliseconds(0)), UsageGauge::Health::Failing);
  EXPECT_EQ(health_at(milliseconds(0)), std::nullopt);
  EXPECT_EQ(health_at(milliseconds(1)), UsageGauge::Health::Lost);
  EXPECT_EQ(health_at(milliseconds(2)), std::nullopt);
  bytes = 10;
  EXPECT_EQ(health_at(milliseconds(3)), UsageGauge::Health::Good);
}

TEST(UsageGaugeTest, AChangeBearsTheSensorsError) {
  UsageGauge gauge({MemorySensor("a file",
                                 []() -> MemorySensor::Reading {
                                   return std::unexpected(std::make_error_code(std::errc::permission_denied));
                                 })},
                   milliseconds(1));
  ASSERT_EQ(gauge.sense(kStart), std::nullopt);
  ASSERT_EQ(gauge.changes().size(), 1u);
  EXPECT_EQ(gauge.changes().front().error, std::errc::permission_denied);
}

TEST(UsageGaugeTest, ASensorThatAnswersAgainCountsAgain) {
  std::optional<std::uint64_t> bytes;
  UsageGauge gauge({reads(bytes)}, milliseconds(0));
  ASSERT_EQ(gauge.sense(kStart), std::nullopt);
  bytes = 20;
  EXPECT_EQ(gauge.sense(kStart), 20u);
}

TEST(UsageGaugeTest, ADeadSensorLeavesTheOthersTheirSay) {
  std::optional<std::uint64_t> dies = 50;
  std::optional<std::uint64_t> lives = 30;
  UsageGauge gauge({reads(dies), reads(lives)}, milliseconds(0));
  ASSERT_EQ(gauge.sense(kStart), 50u);
  dies.reset();
  EXPECT_EQ(gauge.sense(kStart), 30u);
}

TEST(UsageGaugeTest, ASensorThatThrowsHasFailed) {
  UsageGauge gauge({[]() -> std::optional<std::uint64_t> { throw std::runtime_error("broken"); }}, milliseconds(1));
  EXPECT_EQ(gauge.sense(kStart), std::nullopt);
  EXPECT_EQ(gauge.failed_readings(), 1u);
}

}  // namespace
}  // namespace bursar
