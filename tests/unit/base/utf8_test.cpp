#include <bursar/base/utf8.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

namespace bursar {
namespace {

const std::string kReplacement = "\xef\xbf\xbd";

TEST(ToValidUtf8, ValidTextComesBackAsItIs) {
  const std::string texts[] = {"",
                               "topology.sources.udp",
                               std::string("\0", 1),
                               "\x7f",
                               "\xc2\x80",           // U+0080
                               "\xdf\xbf",           // U+07FF
                               "\xe0\xa0\x80",       // U+0800
                               "\xed\x9f\xbf",       // U+D7FF, before the surrogates
                               "\xee\x80\x80",       // U+E000, after them
                               "\xef\xbf\xbf",       // U+FFFF
                               "\xf0\x90\x80\x80",   // U+10000
                               "\xf4\x8f\xbf\xbf"};  // U+10FFFF
  for (const std::string& text : texts) EXPECT_EQ(to_valid_utf8(text), text);
}

TEST(ToValidUtf8, AByteThatStartsNothingIsReplaced) {
  for (const char* text : {"\x80", "\xbf", "\xc0", "\xc1", "\xf5", "\xff"})
    EXPECT_EQ(to_valid_utf8(text), kReplacement);
}

TEST(ToValidUtf8, OverlongFormsAndSurrogatesAndTooLargeNumbersAreReplacedByteByByte) {
  EXPECT_EQ(to_valid_utf8("\xc0\xaf"), kReplacement + kReplacement);
  EXPECT_EQ(to_valid_utf8("\xe0\x9f\xbf"), kReplacement + kReplacement + kReplacement);
  EXPECT_EQ(to_valid_utf8("\xed\xa0\x80"), kReplacement + kReplacement + kReplacement);
  EXPECT_EQ(to_valid_utf8("\xf0\x8f\xbf\xbf"), kReplacement + kReplacement + kReplacement + kReplacement);
  EXPECT_EQ(to_valid_utf8("\xf4\x90\x80\x80"), kReplacement + kReplacement + kReplacement + kReplacement);
  EXPECT_EQ(to_valid_utf8("\xf5\x80\x80\x80"), kReplacement + kReplacement + kReplacement + kReplacement);
}

TEST(ToValidUtf8, ASequenceThatBreaksOffIsReplacedOnceAndWhatFollowsIsKept) {
  EXPECT_EQ(to_valid_utf8("a\xf0\x9f\x98z"), "a" + kReplacement + "z");
  EXPECT_EQ(to_valid_utf8("a\xe2\x82"), "a" + kReplacement);
  EXPECT_EQ(to_valid_utf8("\xe2\x82\xc3\xa9"), kReplacement + "\xc3\xa9");
}

RC_GTEST_PROP(Utf8Laws, WhatHasBeenMadeValidIsValid, (const std::string& text)) {
  const std::string valid = to_valid_utf8(text);
  RC_ASSERT(to_valid_utf8(valid) == valid);
}

}  // namespace
}  // namespace bursar
