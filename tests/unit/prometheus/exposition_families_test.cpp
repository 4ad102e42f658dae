#include "prometheus/exposition_families.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

namespace bursar::prometheus_detail {
namespace {

using ::prometheus::MetricFamily;
using ::prometheus::MetricType;
using testing::IsEmpty;
using testing::SizeIs;

TEST(ExpositionFamilies, HaveNameHelpTypeAndSamplesInTheirOrder) {
  const auto families = families_of(
      "# HELP a_total Of a.\n# TYPE a_total counter\na_total{group=\"x\"} 3\na_total{group=\"y\",more=\"z\"} 4.5\n"
      "# HELP b Of b.\n# TYPE b gauge\nb -2\n");
  ASSERT_THAT(families, SizeIs(2));
  EXPECT_EQ(families[0].name, "a_total");
  EXPECT_EQ(families[0].help, "Of a.");
  EXPECT_EQ(families[0].type, MetricType::Counter);
  ASSERT_THAT(families[0].metric, SizeIs(2));
  EXPECT_EQ(families[0].metric[0].counter.value, 3);
  EXPECT_EQ(families[0].metric[1].counter.value, 4.5);
  ASSERT_THAT(families[0].metric[1].label, SizeIs(2));
  EXPECT_EQ(families[0].metric[1].label[1].name, "more");
  EXPECT_EQ(families[0].metric[1].label[1].value, "z");
  EXPECT_EQ(families[1].type, MetricType::Gauge);
  ASSERT_THAT(families[1].metric, SizeIs(1));
  EXPECT_THAT(families[1].metric[0].label, IsEmpty());
  EXPECT_EQ(families[1].metric[0].gauge.value, -2);
}

TEST(ExpositionFamilies, HaveLabelsWithoutTheirEscapes) {
  const auto families = families_of("# TYPE a gauge\na{group=\"q\\\"b\\\\n\\n,}=e\"} 1\n");
  ASSERT_THAT(families, SizeIs(1));
  ASSERT_THAT(families[0].metric, SizeIs(1));
  EXPECT_EQ(families[0].metric[0].label[0].value, "q\"b\\n\n,}=e");
}

TEST(ExpositionFamilies, KeepTheEscapesOfHelpBecauseTheirWriterAddsNone) {
  const auto families = families_of("# HELP a One\\ntwo\n# TYPE a gauge\na 1\n");
  EXPECT_EQ(families.at(0).help, "One\\ntwo");
}

TEST(ExpositionFamilies, HaveValuesThatAreNoNumbers) {
  const auto families =
      families_of("# TYPE a gauge\na{l=\"1\"} +Inf\na{l=\"2\"} -Inf\na{l=\"3\"} NaN\na{l=\"4\"} 1e+300\n");
  const auto& metrics = families.at(0).metric;
  ASSERT_THAT(metrics, SizeIs(4));
  EXPECT_EQ(metrics[0].gauge.value, INFINITY);
  EXPECT_EQ(metrics[1].gauge.value, -INFINITY);
  EXPECT_TRUE(std::isnan(metrics[2].gauge.value));
  EXPECT_EQ(metrics[3].gauge.value, 1e300);
}

TEST(ExpositionFamilies, HaveTheTimeOfASample) {
  EXPECT_EQ(families_of("# TYPE a gauge\na 1 1700000000250\n").at(0).metric.at(0).timestamp_ms, 1'700'000'000'250);
  EXPECT_EQ(families_of("# TYPE a gauge\na 1\n").at(0).metric.at(0).timestamp_ms, 0);
}

TEST(ExpositionFamilies, ShowTheSamplesOfAHistogramUntypedUnderTheirOwnNames) {
  const auto families = families_of(
      "# HELP h A histogram.\n# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 3\nh_sum 4\nh_count 3\n");
  ASSERT_THAT(families, SizeIs(3));
  EXPECT_EQ(families[0].name, "h_bucket");
  EXPECT_EQ(families[0].type, MetricType::Untyped);
  ASSERT_THAT(families[0].metric, SizeIs(2));
  EXPECT_EQ(families[0].metric[1].untyped.value, 3);
  EXPECT_EQ(families[1].name, "h_sum");
  EXPECT_EQ(families[2].name, "h_count");
}

TEST(ExpositionFamilies, OfAFamilyWithoutSamplesAreThere) {
  const auto families = families_of("# HELP a Of a.\n# TYPE a gauge\n");
  ASSERT_THAT(families, SizeIs(1));
  EXPECT_THAT(families[0].metric, IsEmpty());
}

TEST(ExpositionFamilies, PassOverLinesThatAreNoSamples) {
  for (const std::string line : {"a{", "a{l", "a{l=", "a{l=\"", "a{l=\"x", "a{l=\"\\", "a{l=\"x\"", "a{l=\"x\"}",
                                 "a{} ", "a", "a ", "a x", "a 1x", "a{=\"x\"} 1", "# ", "# HELP", "# TYPE"}) {
    const auto families = families_of("# TYPE b gauge\nb 1\n" + line + "\n");
    EXPECT_THAT(families, SizeIs(1)) << line;
    EXPECT_THAT(families.at(0).metric, SizeIs(1)) << line;
  }
}

TEST(ExpositionFamilies, OfNothingAreNone) {
  EXPECT_THAT(families_of(""), IsEmpty());
}

}  // namespace
}  // namespace bursar::prometheus_detail
