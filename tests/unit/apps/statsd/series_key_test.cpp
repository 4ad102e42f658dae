#include "aggregate/series_key.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

#include "aggregate/prometheus_name.h"
#include "protocol/utf8.h"

namespace bursar::statsd {
namespace {

std::string key_of(std::string_view name, std::string_view tags = "") {
  SeriesKeyBuilder builder{ParserLimits{}};
  builder.build(name, tags);
  return std::string(builder.key());
}

std::string metric_name(std::string_view name) {
  std::string out;
  append_metric_name(out, name);
  return out;
}

std::string label_name(std::string_view key) {
  std::string out;
  append_label_name(out, key);
  return out;
}

TEST(PrometheusName, KeepsWhatIsValid) {
  EXPECT_EQ(metric_name("Http_requests:rate5m"), "Http_requests:rate5m");
}

TEST(PrometheusName, ReplacesEachForeignCharacterByOneUnderscore) {
  EXPECT_EQ(metric_name("a.b-c/d e"), "a_b_c_d_e");
  EXPECT_EQ(metric_name("gr\u00f6\u00dfe\u20ac"), "gr__e_");
}

TEST(PrometheusName, ADigitDoesNotLead) {
  EXPECT_EQ(metric_name("5xx"), "_5xx");
}

TEST(PrometheusName, LabelsHaveNoColons) {
  EXPECT_EQ(label_name("a:b.c"), "a_b_c");
}

TEST(PrometheusName, LabelsThatPrometheusKeepsToItselfAreRenamed) {
  EXPECT_EQ(label_name("le"), "tag_le");
  EXPECT_EQ(label_name("quantile"), "tag_quantile");
  EXPECT_EQ(label_name("__name__"), "tag___name__");
  EXPECT_EQ(label_name("-.x"), "tag___x");
  EXPECT_EQ(label_name("_x"), "_x");
}

TEST(SeriesKey, IsTheNameAndTheSortedLabels) {
  EXPECT_EQ(key_of("a.b"), "a_b{");
  EXPECT_EQ(key_of("a", "z:1,b:2"), "a{b=\"2\",z=\"1\"");
}

TEST(SeriesKey, TheOrderOfTagsDoesNotMatter) {
  EXPECT_EQ(key_of("a", "x:1,y:2,z"), key_of("a", "z,y:2,x:1"));
}

TEST(SeriesKey, ATagWithoutValueIsTrue) {
  EXPECT_EQ(key_of("a", "beta"), "a{beta=\"true\"");
}

TEST(SeriesKey, AnEmptyValueIsNoLabel) {
  EXPECT_EQ(key_of("a", "k:,,b:1,"), "a{b=\"1\"");
}

TEST(SeriesKey, EscapesValues) {
  EXPECT_EQ(key_of("a", "k:\"\\"), "a{k=\"\\\"\\\\\"");
}

TEST(SeriesKey, AValueMayHoldColons) {
  EXPECT_EQ(key_of("a", "url:http://x"), "a{url=\"http://x\"");
}

TEST(SeriesKey, JoinsTheValuesOfOneLabelAndTells) {
  SeriesKeyBuilder builder{ParserLimits{}};
  builder.build("a", "k.x:2,k-x:1,z:9,k_x:1");
  EXPECT_EQ(builder.key(), "a{k_x=\"1,2\",z=\"9\"");
  EXPECT_TRUE(builder.merged_tags());
  builder.build("a", "k.x:2,z:9");
  EXPECT_FALSE(builder.merged_tags());
}

TEST(SeriesKey, TheBuffersSufficeForTheLongestLine) {
  SeriesKeyBuilder builder{ParserLimits{}};
  const std::size_t before = builder.buffer_bytes();
  std::string tags;
  for (int i = 0; i < 64; ++i) tags += "0" + std::to_string(i) + ":" + std::string(118, '"') + ",";
  tags.pop_back();
  ASSERT_LE(tags.size(), 8192U);
  builder.build(std::string(200, '.'), tags);
  EXPECT_EQ(builder.buffer_bytes(), before);
}

// A key can be read back as a list of labels with valid names, no two of them the same.
RC_GTEST_PROP(SeriesKeyLaw, AnyTagsMakeLabelsThatCanBeParsed,
              (const std::vector<std::string>& keys, const std::string& value)) {
  std::string tags;
  for (const std::string& key : keys) {
    if (key.empty() || !is_valid_utf8(key) || key.find_first_of(":,\n") != std::string::npos) continue;
    tags += key + ":" + (is_valid_utf8(value) && value.find(',') == std::string::npos ? value : "v") + ",";
  }
  const std::string key = key_of("name", tags);
  RC_ASSERT(key.starts_with("name{"));
  std::string_view rest = std::string_view(key).substr(5);
  std::vector<std::string> names;
  while (!rest.empty()) {
    const std::size_t equals = rest.find("=\"");
    RC_ASSERT(equals != std::string_view::npos && equals > 0);
    const std::string name(rest.substr(0, equals));
    RC_ASSERT(!std::isdigit(static_cast<unsigned char>(name[0])) && !name.starts_with("__"));
    RC_ASSERT(std::ranges::all_of(name, [](unsigned char c) { return (c < 0x80 && std::isalnum(c)) || c == '_'; }));
    names.push_back(name);
    std::size_t end = equals + 2;
    while (end < rest.size() && rest[end] != '"') end += rest[end] == '\\' ? 2U : 1U;
    RC_ASSERT(end < rest.size());
    rest.remove_prefix(end + 1);
    if (!rest.empty()) {
      RC_ASSERT(rest.front() == ',');
      rest.remove_prefix(1);
    }
  }
  RC_ASSERT(std::ranges::is_sorted(names));
  RC_ASSERT(std::ranges::adjacent_find(names) == names.end());
}

}  // namespace
}  // namespace bursar::statsd
