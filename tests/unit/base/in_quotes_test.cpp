#include <bursar/base/in_quotes.h>

#include <gtest/gtest.h>

#include <string>

namespace bursar {
namespace {

TEST(InQuotes, PrintableTextStaysAsItIs) {
  EXPECT_EQ(in_quotes("64 MiB"), "\"64 MiB\"");
}

TEST(InQuotes, NothingThatATerminalWouldActUponGetsThrough) {
  EXPECT_EQ(in_quotes(std::string_view("a\n\x1b[2J\0\x7f\xff", 9)), "\"a\\x0a\\x1b[2J\\x00\\x7f\\xff\"");
}

TEST(InQuotes, QuotesAndBackslashesAreEscaped) {
  EXPECT_EQ(in_quotes("a\"b\\c"), "\"a\\\"b\\\\c\"");
}

TEST(InQuotes, LongTextIsCutAndSaysSo) {
  EXPECT_EQ(in_quotes(std::string(64, 'x')), '"' + std::string(64, 'x') + '"');
  EXPECT_EQ(in_quotes(std::string(65, 'x')), '"' + std::string(64, 'x') + "...\"");
}

}  // namespace
}  // namespace bursar
