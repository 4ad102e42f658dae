#include "expose/context_exposition.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

#include "protocol/line_parser.h"

namespace bursar::statsd {
namespace {

constexpr std::size_t kNoLimit = 1 << 20;

void record(Aggregator& aggregator, const std::string& line) {
  const auto parsed = parse_line(line);
  ASSERT_TRUE(parsed && std::holds_alternative<Metric>(*parsed)) << line;
  (void)aggregator.record(std::get<Metric>(*parsed), {});
}

std::string render(const Aggregator& aggregator, ExpositionFormat format = ExpositionFormat::PrometheusText) {
  std::string text;
  render_contexts(aggregator, format, kNoLimit, text);
  return text;
}

TEST(ContextExposition, ShowsACounter) {
  Aggregator aggregator({});
  record(aggregator, "page.views:2|c|#env:prod");
  record(aggregator, "page.views:0.5|c");
  EXPECT_EQ(render(aggregator),
            "# HELP page_views StatsD counter page.views\n"
            "# TYPE page_views counter\n"
            "page_views{env=\"prod\"} 2\n"
            "page_views 0.5\n");
}

TEST(ContextExposition, ShowsGaugesAndSetsAsGauges) {
  Aggregator aggregator({});
  record(aggregator, "g:-7|g");
  record(aggregator, "s:x|s");
  EXPECT_EQ(render(aggregator),
            "# HELP g StatsD gauge g\n# TYPE g gauge\ng -7\n"
            "# HELP s StatsD set s\n# TYPE s gauge\ns 1\n");
}

TEST(ContextExposition, ShowsATimerAsASummary) {
  Aggregator aggregator({});
  record(aggregator, "t:0:0|ms|#a:b");
  record(aggregator, "t:0|ms|@0.3|#a:b");
  EXPECT_EQ(render(aggregator),
            "# HELP t StatsD timer t\n"
            "# TYPE t summary\n"
            "t{a=\"b\",quantile=\"0.5\"} 0\n"
            "t{a=\"b\",quantile=\"0.9\"} 0\n"
            "t{a=\"b\",quantile=\"0.95\"} 0\n"
            "t{a=\"b\",quantile=\"0.99\"} 0\n"
            "t_sum{a=\"b\"} 0\n"
            "t_count{a=\"b\"} 5\n");
}

TEST(ContextExposition, ASummaryWithoutRecentValuesHasNoQuantiles) {
  Aggregator aggregator({});
  record(aggregator, "t:1|h");
  aggregator.sweep(Aggregator::TimePoint{});
  for (int i = 1; i < 20; ++i) aggregator.sweep(Aggregator::TimePoint{} + i * Aggregator::kFadeInterval);
  EXPECT_NE(render(aggregator).find("t{quantile=\"0.5\"} NaN\n"), std::string::npos);
}

TEST(ContextExposition, FamiliesAreSortedAndStayTogether) {
  Aggregator aggregator({});
  for (const char* line : {"b:1|c|#x:1", "a:1|c", "b:1|c|#x:2"}) record(aggregator, line);
  const std::string text = render(aggregator);
  EXPECT_LT(text.find("# TYPE a "), text.find("# TYPE b "));
  EXPECT_NE(text.find("b{x=\"1\"} 1\nb{x=\"2\"} 1\n"), std::string::npos);
}

TEST(ContextExposition, InOpenMetricsACounterKeepsItsName) {
  Aggregator aggregator({});
  record(aggregator, "a\"b:1|c");
  EXPECT_EQ(render(aggregator, ExpositionFormat::OpenMetrics),
            "# HELP a_b StatsD counter a\\\"b\n# TYPE a_b unknown\na_b 1\n");
}

TEST(ContextExposition, LeavesOutWhatFindsNoRoomAndCountsIt) {
  Aggregator aggregator({});
  for (int i = 0; i < 10; ++i) record(aggregator, "a:1|c|#n:" + std::to_string(i));
  record(aggregator, "b:1|c");
  const std::string head = "# HELP a StatsD counter a\n# TYPE a counter\n";
  const std::string sample = "a{n=\"0\"} 1\n";
  std::string text = "before\n";
  const RenderedContexts rendered = render_contexts(aggregator, ExpositionFormat::PrometheusText,
                                                    text.size() + head.size() + 3 * sample.size(), text);
  EXPECT_EQ(rendered.contexts, 3U);
  EXPECT_EQ(rendered.omitted_contexts, 8U);
  EXPECT_EQ(text, "before\n" + head + "a{n=\"0\"} 1\na{n=\"1\"} 1\na{n=\"2\"} 1\n");
}

TEST(ContextExposition, AFamilyWithoutRoomForASampleHasNoHead) {
  Aggregator aggregator({});
  record(aggregator, "a:1|c");
  std::string text;
  EXPECT_EQ(render_contexts(aggregator, ExpositionFormat::PrometheusText, 20, text).omitted_contexts, 1U);
  EXPECT_EQ(text, "");
}

TEST(ContextExposition, WithRoomForAllNothingIsOmitted) {
  Aggregator aggregator({});
  record(aggregator, "a:1|c");
  std::string text;
  EXPECT_EQ(render_contexts(aggregator, ExpositionFormat::PrometheusText, kNoLimit, text).omitted_contexts, 0U);
}

RC_GTEST_PROP(ContextExpositionLaw, IsNeverLongerThanItsEstimate, ()) {
  Aggregator aggregator({});
  const auto names = *rc::gen::container<std::vector<std::string>>(
      rc::gen::container<std::string>(rc::gen::elementOf(std::string("ab.\"\\_"))));
  for (const std::string& name : names) {
    const auto type = *rc::gen::elementOf(std::vector<std::string>{"c", "g", "s", "ms", "h", "d"});
    const std::string line = "x" + name + ":1.2345678901234567e-300|" + type + "|#k:" + name;
    const auto parsed = parse_line(line);
    if (parsed) (void)aggregator.record(std::get<Metric>(*parsed), {});
  }
  for (const auto format : {ExpositionFormat::PrometheusText, ExpositionFormat::OpenMetrics}) {
    std::string text;
    render_contexts(aggregator, format, kNoLimit, text);
    RC_ASSERT(text.size() <= estimated_bytes(aggregator));
  }
}

}  // namespace
}  // namespace bursar::statsd
