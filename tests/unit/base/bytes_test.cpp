#include <bursar/base/bytes.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <limits>
#include <string>

namespace bursar {
namespace {

constexpr std::uint64_t kKiB = 1024;
constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();

TEST(FormatBytes, WholeUnitsHaveNoTenths) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(512), "512 B");
  EXPECT_EQ(format_bytes(1023), "1023 B");
  EXPECT_EQ(format_bytes(kKiB), "1 KiB");
  EXPECT_EQ(format_bytes(64 * kKiB * kKiB), "64 MiB");
  EXPECT_EQ(format_bytes(std::uint64_t{1} << 53), "8 PiB");
}

TEST(FormatBytes, RoundsToTheNearestTenth) {
  EXPECT_EQ(format_bytes(12 * kKiB + 307), "12.3 KiB");
  EXPECT_EQ(format_bytes(kKiB + 51), "1 KiB");
  EXPECT_EQ(format_bytes(kKiB + 52), "1.1 KiB");
}

TEST(FormatBytes, RoundingUpGoesOnToTheNextUnit) {
  EXPECT_EQ(format_bytes(kKiB * kKiB - 1), "1 MiB");
  EXPECT_EQ(format_bytes(1023 * kKiB + 972), "1023.9 KiB");
}

TEST(FormatBytes, TheLargestAmountHasAText) {
  EXPECT_EQ(format_bytes(kMax), "16 EiB");
}

TEST(ParseBytes, UnitsOf1024AndOf1000) {
  EXPECT_EQ(parse_bytes("1024"), 1024U);
  EXPECT_EQ(parse_bytes("7B"), 7U);
  EXPECT_EQ(parse_bytes("64MiB"), 64 * kKiB * kKiB);
  EXPECT_EQ(parse_bytes("64 MiB"), 64 * kKiB * kKiB);
  EXPECT_EQ(parse_bytes("64Mi"), 64 * kKiB * kKiB);
  EXPECT_EQ(parse_bytes("1G"), kKiB * kKiB * kKiB);
  EXPECT_EQ(parse_bytes("1GB"), 1'000'000'000U);
  EXPECT_EQ(parse_bytes("2k"), 2 * kKiB);
  EXPECT_EQ(parse_bytes("3kb"), 3'000U);
  EXPECT_EQ(parse_bytes("1T"), std::uint64_t{1} << 40);
  EXPECT_EQ(parse_bytes("1PiB"), std::uint64_t{1} << 50);
  EXPECT_EQ(parse_bytes("15EiB"), std::uint64_t{15} << 60);
  EXPECT_EQ(parse_bytes("18EB"), std::uint64_t{18} * 1'000'000'000'000'000'000U);
}

TEST(ParseBytes, WhiteSpaceAroundIsNothing) {
  EXPECT_EQ(parse_bytes(" \t64  MiB\n"), 64 * kKiB * kKiB);
}

TEST(ParseBytes, WhatAFractionLeavesOfAByteIsCutOff) {
  EXPECT_EQ(parse_bytes("1.5K"), 1536U);
  EXPECT_EQ(parse_bytes("0.001K"), 1U);
  EXPECT_EQ(parse_bytes("0.0009K"), 0U);
  EXPECT_EQ(parse_bytes("0.999999999999999999999999999999EiB"), (std::uint64_t{1} << 60) - 1);
}

TEST(ParseBytes, TheLargestAmountIsReadAndOneMoreIsNot) {
  EXPECT_EQ(parse_bytes("18446744073709551615"), kMax);
  for (const char* text : {"18446744073709551616", "16EiB", "18.5EB", "99999999999999999999999"}) {
    EXPECT_FALSE(parse_bytes(text).has_value()) << text;
  }
  EXPECT_EQ(parse_bytes("16EiB").error(),
            "\"16EiB\" is too much: the largest amount is 18446744073709551615 bytes, just under 16 EiB");
}

TEST(ParseBytes, JunkIsAnErrorThatQuotesItAndSaysWhatIsRight) {
  for (const char* text : {"", " ", "MiB", "-1", "+1", "1.5", "1.", ".5K", "1e6", "0x10", "1_000", "64 MiBs", "64XiB",
                           "1 2", "1Kii", "1ki b", "nan"}) {
    EXPECT_FALSE(parse_bytes(text).has_value()) << text;
  }
  EXPECT_EQ(
      parse_bytes("64 apples\n").error(),
      "\"64 apples\\x0a\" is not an amount of bytes: write a number and a unit or none, such as 1024, 64MiB, 1.5G "
      "(powers of 1024) or 1GB (powers of 1000)");
}

TEST(ParseBytes, AnEmbeddedNulIsJunk) {
  EXPECT_FALSE(parse_bytes(std::string_view("1\0K", 3)).has_value());
}

RC_GTEST_PROP(BytesLaws, AnyTextIsReadOrAnsweredByOnePrintableLine, (std::string text)) {
  const auto read = parse_bytes(text);
  if (!read) {
    RC_ASSERT(std::ranges::all_of(read.error(), [](char character) { return character >= ' ' && character <= '~'; }));
  }
}

RC_GTEST_PROP(BytesLaws, ANumberIsReadAsItself, (std::uint64_t bytes)) {
  RC_ASSERT(parse_bytes(std::to_string(bytes)).value() == bytes);
}

RC_GTEST_PROP(BytesLaws, WhatIsWrittenIsReadWithinHalfATenthOfItsUnit, (std::uint64_t seed)) {
  const std::uint64_t bytes = seed >> *rc::gen::inRange(1, 64);
  const auto read = parse_bytes(format_bytes(bytes));
  RC_ASSERT(read.has_value());
  const std::uint64_t difference = *read > bytes ? *read - bytes : bytes - *read;
  // Half a tenth of the unit, which is at most the amount itself, and the byte that reading cuts off.
  RC_ASSERT(difference <= bytes / 20 + 1);
}

}  // namespace
}  // namespace bursar
