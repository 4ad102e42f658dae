#include "aggregate/quantile_sketch.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace bursar::statsd {
namespace {

constexpr double kError = QuantileSketch::kRelativeError * 1.0001;

TEST(QuantileSketch, AnEmptyOneHasNoQuantile) {
  EXPECT_TRUE(std::isnan(QuantileSketch{}.quantile(0.5)));
}

TEST(QuantileSketch, AnswersWithinItsRelativeError) {
  QuantileSketch sketch;
  for (int i = 1; i <= 1000; ++i) sketch.record(i, 1);
  EXPECT_NEAR(sketch.quantile(0.5), 500, 500 * kError);
  EXPECT_NEAR(sketch.quantile(0.9), 900, 900 * kError);
  EXPECT_NEAR(sketch.quantile(0.99), 990, 990 * kError);
  EXPECT_NEAR(sketch.quantile(0), 1, kError);
  EXPECT_NEAR(sketch.quantile(1), 1000, 1000 * kError);
}

TEST(QuantileSketch, AWeightCountsAsThatManyValues) {
  QuantileSketch sketch;
  sketch.record(1, 9);
  sketch.record(100, 1);
  EXPECT_NEAR(sketch.quantile(0.85), 1, kError);
  EXPECT_NEAR(sketch.quantile(0.95), 100, 100 * kError);
}

TEST(QuantileSketch, OrdersNegativeValuesAndZero) {
  QuantileSketch sketch;
  for (const double value : {-100.0, -1.0, 0.0, 1.0, 100.0}) sketch.record(value, 1);
  EXPECT_NEAR(sketch.quantile(0.1), -100, 100 * kError);
  EXPECT_NEAR(sketch.quantile(0.4), -1, kError);
  EXPECT_EQ(sketch.quantile(0.5), 0);
  EXPECT_NEAR(sketch.quantile(1), 100, 100 * kError);
}

TEST(QuantileSketch, NeverHasMoreThanItsBinsAndKeepsTheUpperOnesRight) {
  QuantileSketch sketch;
  for (int exponent = -300; exponent <= 300; ++exponent) sketch.record(std::pow(10.0, exponent), 1);
  EXPECT_EQ(sketch.bins(), QuantileSketch::kMaxBins);
  EXPECT_NEAR(sketch.quantile(1), 1e300, 1e300 * kError);
  EXPECT_NEAR(sketch.quantile(0.9), 1e240, 1e240 * kError);
}

TEST(QuantileSketch, TakesTheSmallestAndTheLargestDoubles) {
  QuantileSketch sketch;
  sketch.record(std::numeric_limits<double>::denorm_min(), 1);
  sketch.record(std::numeric_limits<double>::max(), 1);
  sketch.record(-std::numeric_limits<double>::max(), 1);
  EXPECT_LT(sketch.quantile(0), -1e300);
  EXPECT_LT(std::fabs(sketch.quantile(0.5)), 1e-300);
  EXPECT_GT(sketch.quantile(1), 1e300);
}

TEST(QuantileSketch, FadingLetsThePastCountForLess) {
  QuantileSketch sketch;
  for (int i = 0; i < 30; ++i) sketch.record(1, 1);
  sketch.fade();
  sketch.fade();
  for (int i = 0; i < 10; ++i) sketch.record(100, 1);
  // 7.5 against 10.
  EXPECT_NEAR(sketch.quantile(0.5), 100, 100 * kError);
  EXPECT_NEAR(sketch.quantile(0.4), 1, kError);
}

TEST(QuantileSketch, ForgetsWhatHasFadedAway) {
  QuantileSketch sketch;
  sketch.record(1, 1);
  for (int i = 0; i < 11; ++i) sketch.fade();
  EXPECT_EQ(sketch.bins(), 0U);
  EXPECT_TRUE(std::isnan(sketch.quantile(0.5)));
}

TEST(QuantileSketch, GoesOnCountingBeyondWhatAFloatCounts) {
  QuantileSketch sketch;
  sketch.record(1, 1e9);
  for (int i = 0; i < 20; ++i) sketch.record(100, 1e9);
  EXPECT_NEAR(sketch.quantile(0.5), 100, 100 * kError);
}

RC_GTEST_PROP(QuantileSketchLaw, IsNearTheValueAtThatRank, (std::vector<std::uint16_t> values)) {
  RC_PRE(!values.empty());
  QuantileSketch sketch;
  // Within the factor that the bins span.
  for (std::uint16_t& value : values) {
    value = static_cast<std::uint16_t>(100 + value % 50'000);
    sketch.record(value, 1);
  }
  std::ranges::sort(values);
  for (const double rank : {0.01, 0.5, 0.9, 0.99, 1.0}) {
    const auto index = static_cast<std::size_t>(std::ceil(rank * static_cast<double>(values.size()))) - 1;
    const double exact = values[std::min(index, values.size() - 1)];
    RC_ASSERT(std::fabs(sketch.quantile(rank) - exact) <= exact * kError);
  }
}

}  // namespace
}  // namespace bursar::statsd
