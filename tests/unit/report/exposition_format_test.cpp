#include <bursar/report/exposition_format.h>

#include <gtest/gtest.h>

#include <string_view>

namespace bursar {
namespace {

TEST(ExpositionFormat, IsPrometheusTextForWhoeverDoesNotAskForOpenMetrics) {
  for (const std::string_view accept :
       {"", "*/*", "text/plain", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", "application/json", ",,;;q=,",
        "application/openmetrics-text;q=0", "application/openmetrics-text;q=0.0, */*",
        "application/openmetrics-text;q=junk", "application/openmetrics-text-not"}) {
    EXPECT_EQ(negotiate_exposition_format(accept), ExpositionFormat::PrometheusText) << accept;
  }
}

TEST(ExpositionFormat, IsOpenMetricsForWhatPrometheusSends) {
  for (const std::string_view accept :
       {"application/openmetrics-text", "application/openmetrics-text; version=1.0.0",
        "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,"
        "text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,"
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;q=0.5",
        "Application/OpenMetrics-Text ; q=1.0", "text/plain, application/openmetrics-text"}) {
    EXPECT_EQ(negotiate_exposition_format(accept), ExpositionFormat::OpenMetrics) << accept;
  }
}

TEST(ExpositionFormat, FollowsTheGreaterWeight) {
  EXPECT_EQ(negotiate_exposition_format("application/openmetrics-text;q=0.4, text/plain;q=0.6"),
            ExpositionFormat::PrometheusText);
  EXPECT_EQ(negotiate_exposition_format("application/openmetrics-text;q=0.4, text/*;q=0.6"),
            ExpositionFormat::PrometheusText);
  EXPECT_EQ(negotiate_exposition_format("application/openmetrics-text;q=0.4, text/plain;q=0.1, */*;q=0.9"),
            ExpositionFormat::OpenMetrics);
}

TEST(ExpositionFormat, NamesItsMediaType) {
  EXPECT_EQ(content_type(ExpositionFormat::PrometheusText), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(content_type(ExpositionFormat::OpenMetrics), "application/openmetrics-text; version=1.0.0; charset=utf-8");
}

}  // namespace
}  // namespace bursar
