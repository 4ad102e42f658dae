#include <bursar/limiter/usage_gauge.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <stdexcept>

namespace bursar {
namespace {

MemorySensor reads(const std::optional<std::uint64_t>& variable) {
  return [&variable] { return variable; };
}

TEST(UsageGaugeTest, TheGreatestFigureCounts) {
  std::optional<std::uint64_t> low = 10;
  std::optional<std::uint64_t> high = 30;
  UsageGauge gauge({reads(low), reads(high)}, 3);
  EXPECT_EQ(gauge.sense(), 30u);
  low = 40;
  EXPECT_EQ(gauge.sense(), 40u);
}

TEST(UsageGaugeTest, WithoutSensorsThereIsNoFigure) {
  EXPECT_EQ(UsageGauge({}, 3).sense(), std::nullopt);
}

TEST(UsageGaugeTest, ASensorThatFailsKeepsItsLastGoodFigureForAWhile) {
  std::optional<std::uint64_t> bytes = 10;
  UsageGauge gauge({reads(bytes)}, 2);
  ASSERT_EQ(gauge.sense(), 10u);
  bytes.reset();
  EXPECT_EQ(gauge.sense(), 10u);
  EXPECT_EQ(gauge.sense(), 10u);
  EXPECT_EQ(gauge.sense(), std::nullopt);
  EXPECT_EQ(gauge.failed_readings(), 3u);
}

TEST(UsageGaugeTest, AGoodReadingStartsTheCountAnew) {
  std::optional<std::uint64_t> bytes = 10;
  UsageGauge gauge({reads(bytes)}, 1);
  ASSERT_EQ(gauge.sense(), 10u);
  for (int i = 0; i < 5; ++i) {
    bytes.reset();
    EXPECT_EQ(gauge.sense(), 10u);
    bytes = 10;
    EXPECT_EQ(gauge.sense(), 10u);
  }
  EXPECT_EQ(gauge.failed_readings(), 5u);
}

TEST(UsageGaugeTest, ASensorThatAnswersAgainCountsAgain) {
  std::optional<std::uint64_t> bytes;
  UsageGauge gauge({reads(bytes)}, 0);
  ASSERT_EQ(gauge.sense(), std::nullopt);
  bytes = 20;
  EXPECT_EQ(gauge.sense(), 20u);
}

TEST(UsageGaugeTest, ADeadSensorLeavesTheOthersTheirSay) {
  std::optional<std::uint64_t> dies = 50;
  std::optional<std::uint64_t> lives = 30;
  UsageGauge gauge({reads(dies), reads(lives)}, 0);
  ASSERT_EQ(gauge.sense(), 50u);
  dies.reset();
  EXPECT_EQ(gauge.sense(), 30u);
}

TEST(UsageGaugeTest, ASensorThatThrowsHasFailed) {
  UsageGauge gauge({[]() -> std::optional<std::uint64_t> { throw std::runtime_error("broken"); }}, 1);
  EXPECT_EQ(gauge.sense(), std::nullopt);
  EXPECT_EQ(gauge.failed_readings(), 1u);
}

}  // namespace
}  // namespace bursar
