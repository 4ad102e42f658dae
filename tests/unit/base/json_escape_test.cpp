#include <bursar/base/json_escape.h>
#include <bursar/base/utf8.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace bursar {
namespace {

TEST(JsonString, PlainTextStandsInQuotes) {
  EXPECT_EQ(json_string("a.b-c/\xc3\xa9"), "\"a.b-c/\xc3\xa9\"");
}

TEST(JsonString, QuotesBackslashesAndControlsAreEscaped) {
  EXPECT_EQ(json_string("\"\\\b\f\n\r\t"), R"("\"\\\b\f\n\r\t")");
  EXPECT_EQ(json_string(std::string_view("\0\x01\x1f\x7f", 4)), "\"\\u0000\\u0001\\u001f\x7f\"");
}

TEST(JsonString, InvalidUtf8BecomesTheReplacementCharacter) {
  EXPECT_EQ(json_string("a\xff"), "\"a\xef\xbf\xbd\"");
}

RC_GTEST_PROP(JsonStringLaws, AnotherParserReadsBackWhatWasValid, (const std::vector<unsigned char>& bytes)) {
  const std::string text(bytes.begin(), bytes.end());
  const nlohmann::json parsed = nlohmann::json::parse(json_string(text));
  RC_ASSERT(parsed.get<std::string>() == to_valid_utf8(text));
}

}  // namespace
}  // namespace bursar
