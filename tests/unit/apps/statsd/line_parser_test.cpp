#include "protocol/line_parser.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bursar::statsd {
namespace {

Metric metric_of(std::string_view line) {
  const auto parsed = parse_line(line);
  if (!parsed || !std::holds_alternative<Metric>(*parsed)) {
    ADD_FAILURE() << line << " is no metric: " << (parsed ? "another kind" : to_string(parsed.error()));
    return {};
  }
  return std::get<Metric>(*parsed);
}

std::string reason_of(std::string_view line, const ParserLimits& limits = {}) {
  const auto parsed = parse_line(line, limits);
  return parsed ? "accepted" : std::string(to_string(parsed.error()));
}

std::vector<double> samples_of(const Metric& metric) {
  std::vector<double> samples;
  metric.for_each_sample([&](Sample sample) { samples.push_back(sample.value); });
  return samples;
}

TEST(LineParser, ReadsAllFieldsOfDogStatsd) {
  const Metric metric = metric_of("page.views:2|c|@0.5|#env:prod,beta|c:ci-83c0|T1656581400");
  EXPECT_EQ(metric.name, "page.views");
  EXPECT_EQ(metric.type, MetricType::kCounter);
  EXPECT_EQ(samples_of(metric), std::vector<double>{2});
  EXPECT_EQ(metric.sample_rate, 0.5);
  EXPECT_EQ(metric.weight(), 2);
  EXPECT_EQ(metric.tags, "env:prod,beta");
  EXPECT_EQ(metric.container, "ci-83c0");
  EXPECT_EQ(metric.timestamp_seconds, 1656581400);
  EXPECT_EQ(metric.unknown_fields, 0U);
}

TEST(LineParser, KnowsEachType) {
  EXPECT_EQ(metric_of("a:1|c").type, MetricType::kCounter);
  EXPECT_EQ(metric_of("a:1|g").type, MetricType::kGauge);
  EXPECT_EQ(metric_of("a:1|s").type, MetricType::kSet);
  EXPECT_EQ(metric_of("a:1|ms").type, MetricType::kTimer);
  EXPECT_EQ(metric_of("a:1|h").type, MetricType::kHistogram);
  EXPECT_EQ(metric_of("a:1|d").type, MetricType::kDistribution);
}

TEST(LineParser, FieldsMayComeInAnyOrder) {
  const Metric metric = metric_of("a:1|c|T7|#x:y|@0.25");
  EXPECT_EQ(metric.sample_rate, 0.25);
  EXPECT_EQ(metric.tags, "x:y");
  EXPECT_EQ(metric.timestamp_seconds, 7);
}

TEST(LineParser, UnpacksSeveralValues) {
  EXPECT_EQ(samples_of(metric_of("a:1:2.5:-3e2|ms")), (std::vector<double>{1, 2.5, -300}));
}

TEST(LineParser, ASetsValueMayHoldColons) {
  EXPECT_EQ(metric_of("a:urn:x:1|s").values, "urn:x:1");
}

TEST(LineParser, OnlyASignMakesAGaugeMove) {
  EXPECT_FALSE(metric_of("a:4|g").first.is_signed);
  EXPECT_TRUE(metric_of("a:+4|g").first.is_signed);
  EXPECT_EQ(metric_of("a:+4|g").first.value, 4);
  EXPECT_TRUE(metric_of("a:-4|g").first.is_signed);
  EXPECT_EQ(metric_of("a:-4|g").first.value, -4);
}

TEST(LineParser, CountsFieldsItDoesNotKnow) {
  EXPECT_EQ(metric_of("a:1|c|e:it-false|card:low|Tx").unknown_fields, 3U);
}

TEST(LineParser, ACarriageReturnIsNoPartOfTheLine) {
  EXPECT_EQ(metric_of("a:1|c\r").type, MetricType::kCounter);
}

TEST(LineParser, GivesTheReasonOfEachBadLine) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "empty_name"},
      {":1|c", "empty_name"},
      {"|c", "empty_name"},
      {"a", "no_value"},
      {"a|c", "no_value"},
      {"a:|c", "no_value"},
      {"a:1", "no_type"},
      {"a:1|", "bad_type"},
      {"a:1|x", "bad_type"},
      {"a:1|cc", "bad_type"},
      {"a:1|c:2|c", "bad_type"},
      {"a:x|c", "bad_value"},
      {"a:1x|c", "bad_value"},
      {"a:0x10|c", "bad_value"},
      {"a: 1|c", "bad_value"},
      {"a:nan|g", "bad_value"},
      {"a:inf|g", "bad_value"},
      {"a:-inf|g", "bad_value"},
      {"a:1e999|g", "bad_value"},
      {"a:+-1|g", "bad_value"},
      {"a:++1|g", "bad_value"},
      {"a:+|g", "bad_value"},
      {"a:1:|ms", "bad_value"},
      {"a::1|ms", "bad_value"},
      {"a:1:x:2|ms", "bad_value"},
      {"a:-1|c", "negative_counter"},
      {"a:1:-1|c", "negative_counter"},
      {"a:1|c|@0", "bad_sample_rate"},
      {"a:1|c|@1.5", "bad_sample_rate"},
      {"a:1|c|@-1", "bad_sample_rate"},
      {"a:1|c|@", "bad_sample_rate"},
      {"a:1|c|@nan", "bad_sample_rate"},
      {"a:1|c|@1e-10", "bad_sample_rate"},
      {"a:1e308|c|@0.001", "bad_sample_rate"},
      {"a:1|c|#:v", "bad_tag"},
      {"a:1|c|#k:v,:v", "bad_tag"},
      {"a:1|c|#k:v|#l:v", "bad_tag"},
      {"_e{1,1}:a|", "bad_event"},
      {"_e{2,1}:a|b", "bad_event"},
      {"_e{1,1}:a|bc", "bad_event"},
      {"_e{0,1}:|b", "bad_event"},
      {"_e{1}:a|b", "bad_event"},
      {"_e{-1,1}:a|b", "bad_event"},
      {"_e{1,99999999999999999999}:a|b", "bad_event"},
      {"_e{18446744073709551615,1}:a|b", "bad_event"},
      {"_sc||0", "bad_service_check"},
      {"_sc|name", "bad_service_check"},
      {"_sc|name|4", "bad_service_check"},
      {"_sc|name|00", "bad_service_check"},
      {std::string("a\0b:1|c", 7), "nul_byte"},
      {"a\xff:1|c", "invalid_utf8"},
      {"a:1|c|#k:\xc0\xaf", "invalid_utf8"},
      {"a:1|c|#k:\xed\xa0\x80", "invalid_utf8"},
      {"aaaaaaaaaaaaaaaa\xe2\x82", "invalid_utf8"},
  };
  for (const auto& [line, reason] : cases) EXPECT_EQ(reason_of(line), reason) << line;
}

TEST(LineParser, HoldsEachLimitExactly) {
  const std::string name(200, 'n');
  EXPECT_EQ(reason_of(name + ":1|c"), "accepted");
  EXPECT_EQ(reason_of(name + "n:1|c"), "name_too_long");

  std::string tags = "a:1|c|#t";
  for (int i = 1; i < 64; ++i) tags += ",t";
  EXPECT_EQ(reason_of(tags), "accepted");
  EXPECT_EQ(reason_of(tags + ",t"), "too_many_tags");

  const std::string line = "a:1|c|#k:" + std::string(8192 - 9, 'v');
  EXPECT_EQ(reason_of(line), "accepted");
  EXPECT_EQ(reason_of(line + "\r"), "accepted");
  EXPECT_EQ(reason_of(line + "v"), "over_long");
}

TEST(LineParser, ReadsEventsAndServiceChecks) {
  const auto event = parse_line("_e{5,4}:ti|le|text|p:low|#a:b");
  ASSERT_TRUE(event && std::holds_alternative<Event>(*event));
  EXPECT_EQ(std::get<Event>(*event).title, "ti|le");
  EXPECT_EQ(std::get<Event>(*event).text, "text");
  EXPECT_EQ(reason_of("_e{1,0}:a|"), "accepted");

  const auto check = parse_line("_sc|db.up|2|h:host|m:down");
  ASSERT_TRUE(check && std::holds_alternative<ServiceCheck>(*check));
  EXPECT_EQ(std::get<ServiceCheck>(*check).name, "db.up");
  EXPECT_EQ(std::get<ServiceCheck>(*check).status, 2);
}

TEST(LineParser, AcceptsUtf8OfEveryLength) {
  EXPECT_EQ(reason_of("a:1|c|#k:\u00fc\u20ac\U0001F600"), "accepted");
}

// Lines that are nearly right reach further into the parser than random bytes do.
rc::Gen<std::string> near_lines() {
  return rc::gen::map(rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(std::vector<std::string>{
                          "a",    ":",      "|",  "c",   "ms",   "s", "#",     "@",  ",",  "1",  "0.5",
                          "-",    "+",      "T",  "_e{", "_sc|", "}", "1,1}:", "e9", "\n", "\r", std::string(1, '\0'),
                          "\xff", "\u20ac", "nan"})),
                      [](const std::vector<std::string>& parts) {
                        std::string line;
                        for (const std::string& part : parts) line += part;
                        return line;
                      });
}

void expect_sound(const std::string& line) {
  const auto parsed = parse_line(line);
  if (!parsed || !std::holds_alternative<Metric>(*parsed)) return;
  const Metric& metric = std::get<Metric>(*parsed);
  RC_ASSERT(!metric.name.empty());
  RC_ASSERT(metric.sample_rate > 0 && metric.sample_rate <= 1);
  if (metric.type == MetricType::kSet) return;
  metric.for_each_sample([&](Sample sample) { RC_ASSERT(std::isfinite(sample.value * metric.weight())); });
}

RC_GTEST_PROP(LineParserLaw, AnyBytesAreTakenOrRefused, (const std::string& line)) {
  expect_sound(line);
}

RC_GTEST_PROP(LineParserLaw, NearlyRightLinesAreTakenOrRefused, ()) {
  expect_sound(*near_lines());
}

RC_GTEST_PROP(LineParserLaw, AWellFormedLineComesBackAsItWasWritten, (const std::vector<std::int16_t>& more)) {
  std::string line = "name:7";
  std::vector<double> values = {7};
  for (const std::int16_t value : more) {
    line += ":" + std::to_string(value);
    values.push_back(value);
  }
  line += "|h|#a:b";
  const auto parsed = parse_line(line);
  if (line.size() > ParserLimits{}.max_line_bytes) {
    RC_ASSERT(!parsed);
    return;
  }
  RC_ASSERT(parsed.has_value());
  RC_ASSERT(samples_of(std::get<Metric>(*parsed)) == values);
}

}  // namespace
}  // namespace bursar::statsd
