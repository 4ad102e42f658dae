#include <bursar/bounds/memory_grant.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>

namespace bursar {
namespace {

constexpr std::uint64_t kMiB = 1024 * 1024;
constexpr std::uint64_t kMaxInitial = MemoryGrant::kMaxInitialLimitBytes;

std::uint64_t effective_limit(std::uint64_t bytes, double slop) {
  return MemoryGrant::with_slop_factor(bytes, slop).value().effective_limit_bytes();
}

TEST(MemoryGrant, EffectiveIsUsedToTheLastByte) {
  const MemoryGrant grant = MemoryGrant::effective(64 * kMiB).value();
  EXPECT_EQ(grant.initial_limit_bytes(), 64 * kMiB);
  EXPECT_EQ(grant.slop_factor(), 0.0);
  EXPECT_EQ(grant.effective_limit_bytes(), 64 * kMiB);
}

TEST(MemoryGrant, TheSlopIsTakenOff) {
  const MemoryGrant grant = MemoryGrant::with_slop_factor(64 * kMiB, 0.25).value();
  EXPECT_EQ(grant.initial_limit_bytes(), 64 * kMiB);
  EXPECT_EQ(grant.slop_factor(), 0.25);
  EXPECT_EQ(grant.effective_limit_bytes(), 48 * kMiB);
}

TEST(MemoryGrant, APartOfAByteIsRoundedDown) {
  EXPECT_EQ(effective_limit(10, 0.25), 7U);
  EXPECT_EQ(effective_limit(1001, 0.75), 250U);
  EXPECT_EQ(effective_limit(3, 0.999), 0U);
}

TEST(MemoryGrant, AFactorThatADoubleCannotHoldGivesTheWholeNumberThatWasMeant) {
  EXPECT_EQ(effective_limit(1000, 0.9), 100U);
  EXPECT_EQ(effective_limit(1000, 0.1), 900U);
  EXPECT_EQ(effective_limit(1'000'000'000'000, 0.7), 300'000'000'000U);
}

TEST(MemoryGrant, ZeroBytesAndTheLargestLimitAreAllowed) {
  EXPECT_EQ(effective_limit(0, 0.5), 0U);
  EXPECT_EQ(MemoryGrant::effective(kMaxInitial).value().effective_limit_bytes(), kMaxInitial);
  EXPECT_EQ(effective_limit(kMaxInitial, 0.5), kMaxInitial / 2);
}

TEST(MemoryGrant, ALimitOver2To53IsRefusedWithTheValue) {
  const auto grant = MemoryGrant::effective(kMaxInitial + 1);
  ASSERT_FALSE(grant.has_value());
  EXPECT_EQ(grant.error().reason, GrantError::Reason::InitialLimitTooLarge);
  EXPECT_EQ(
      grant.error().message,
      "an initial limit of 9007199254740993 bytes is too large: it has to be at most 9007199254740992 bytes (8 PiB)");
}

TEST(MemoryGrant, ASlopFactorOutOfRangeIsRefusedWithTheValue) {
  const auto grant = MemoryGrant::with_slop_factor(kMiB, 1.5);
  ASSERT_FALSE(grant.has_value());
  EXPECT_EQ(grant.error().reason, GrantError::Reason::InvalidSlopFactor);
  EXPECT_EQ(grant.error().message,
            "a slop factor of 1.5 is out of range: it has to be at least 0.0 and less than 1.0, such as 0.25");
}

TEST(MemoryGrant, TheRangeOfTheSlopFactorIsHalfOpen) {
  EXPECT_TRUE(MemoryGrant::with_slop_factor(kMiB, 0.0).has_value());
  EXPECT_TRUE(MemoryGrant::with_slop_factor(kMiB, std::nextafter(1.0, 0.0)).has_value());
  EXPECT_FALSE(MemoryGrant::with_slop_factor(kMiB, 1.0).has_value());
  EXPECT_FALSE(MemoryGrant::with_slop_factor(kMiB, -0.01).has_value());
}

TEST(MemoryGrant, NotANumberAndInfinityAreRefusedWithTheValue) {
  const auto nan = MemoryGrant::with_slop_factor(kMiB, std::numeric_limits<double>::quiet_NaN());
  ASSERT_FALSE(nan.has_value());
  EXPECT_NE(nan.error().message.find("a slop factor of nan is"), std::string::npos) << nan.error().message;
  const auto infinity = MemoryGrant::with_slop_factor(kMiB, -std::numeric_limits<double>::infinity());
  ASSERT_FALSE(infinity.has_value());
  EXPECT_NE(infinity.error().message.find("a slop factor of -inf is"), std::string::npos) << infinity.error().message;
}

RC_GTEST_PROP(MemoryGrantLaws, WholePercentagesOfAnythingComeOutExactly, ()) {
  const auto percent = *rc::gen::inRange<std::uint64_t>(0, 100);
  const auto bytes = *rc::gen::inRange<std::uint64_t>(0, std::uint64_t{1} << 45);
  RC_ASSERT(effective_limit(bytes, static_cast<double>(percent) / 100) == bytes * (100 - percent) / 100);
}

RC_GTEST_PROP(MemoryGrantLaws, MoreSlopNeverGivesMoreAndNeverMoreThanTheInitialLimit, ()) {
  const auto bytes = *rc::gen::inRange<std::uint64_t>(0, kMaxInitial + 1);
  const auto less = *rc::gen::inRange<std::uint32_t>(0, 1'000'000);
  const auto more = *rc::gen::inRange<std::uint32_t>(less, 1'000'000);
  RC_ASSERT(effective_limit(bytes, less / 1e6) <= bytes);
  RC_ASSERT(effective_limit(bytes, more / 1e6) <= effective_limit(bytes, less / 1e6));
}

}  // namespace
}  // namespace bursar
