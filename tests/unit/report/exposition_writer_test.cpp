#include <bursar/report/exposition_writer.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

namespace bursar {
namespace {

using MetricType = ExpositionWriter::MetricType;

std::string two_families(ExpositionFormat format) {
  std::string text;
  ExpositionWriter writer(text, format);
  writer.family("a_bytes_total", MetricType::Counter, "Bytes of A.", "bytes");
  writer.sample({{"group", "x"}}, std::uint64_t{1});
  writer.sample({{"group", "y"}, {"kind", "z"}}, std::uint64_t{18446744073709551615U});
  writer.family("b_seconds", MetricType::Gauge, "Time of B.", "seconds");
  writer.sample({}, 0.25);
  writer.end();
  return text;
}

TEST(ExpositionWriter, WritesPrometheusText) {
  EXPECT_EQ(two_families(ExpositionFormat::PrometheusText),
            "# HELP a_bytes_total Bytes of A.\n"
            "# TYPE a_bytes_total counter\n"
            "a_bytes_total{group=\"x\"} 1\n"
            "a_bytes_total{group=\"y\",kind=\"z\"} 18446744073709551615\n"
            "# HELP b_seconds Time of B.\n"
            "# TYPE b_seconds gauge\n"
            "b_seconds 0.25\n");
}

TEST(ExpositionWriter, WritesOpenMetrics) {
  EXPECT_EQ(two_families(ExpositionFormat::OpenMetrics),
            "# HELP a_bytes Bytes of A.\n"
            "# TYPE a_bytes counter\n"
            "# UNIT a_bytes bytes\n"
            "a_bytes_total{group=\"x\"} 1\n"
            "a_bytes_total{group=\"y\",kind=\"z\"} 18446744073709551615\n"
            "# HELP b_seconds Time of B.\n"
            "# TYPE b_seconds gauge\n"
            "# UNIT b_seconds seconds\n"
            "b_seconds 0.25\n"
            "# EOF\n");
}

std::string sample_with(std::string_view label_value) {
  std::string text;
  ExpositionWriter writer(text, ExpositionFormat::PrometheusText);
  writer.family("a", MetricType::Gauge, "");
  text.clear();
  writer.sample({{"group", label_value}}, std::uint64_t{1});
  return text;
}

TEST(ExpositionWriter, EscapesLabels) {
  EXPECT_EQ(sample_with("a\"b\\c\nd"), "a{group=\"a\\\"b\\\\c\\nd\"} 1\n");
}

TEST(ExpositionWriter, MakesLabelsValidUtf8WithoutNul) {
  EXPECT_EQ(sample_with("a\xff"
                        "b"),
            "a{group=\"a\uFFFDb\"} 1\n");
  EXPECT_EQ(sample_with(std::string_view("a\0b", 3)), "a{group=\"a\uFFFDb\"} 1\n");
  EXPECT_EQ(sample_with("Größe 🧺"), "a{group=\"Größe 🧺\"} 1\n");
}

TEST(ExpositionWriter, WritesNumbersThatAreNone) {
  std::string text;
  ExpositionWriter writer(text, ExpositionFormat::PrometheusText);
  writer.family("a", MetricType::Gauge, "");
  text.clear();
  writer.sample({}, std::numeric_limits<double>::quiet_NaN());
  writer.sample({}, std::numeric_limits<double>::infinity());
  writer.sample({}, -std::numeric_limits<double>::infinity());
  EXPECT_EQ(text, "a NaN\na +Inf\na -Inf\n");
}

}  // namespace
}  // namespace bursar
