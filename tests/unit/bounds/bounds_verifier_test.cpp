#include <bursar/bounds/bounds_verifier.h>
#include <bursar/bounds/memory_bounds_builder.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>
#include <string>

namespace bursar {
namespace {

constexpr std::size_t kMax = std::numeric_limits<std::size_t>::max();
constexpr std::size_t kMiB = 1024 * 1024;

ComponentBounds bounds_with(std::size_t minimum_bytes, std::size_t firm_bytes) {
  const MemoryBoundsBuilder builder;
  builder.subcomponent("a").minimum().with_fixed_amount("x", minimum_bytes);
  builder.subcomponent("b").firm().with_fixed_amount("y", firm_bytes);
  return builder.as_bounds();
}

std::expected<VerifiedBounds, VerifierError> verified(std::uint64_t available_bytes, const ComponentBounds& bounds) {
  return BoundsVerifier(MemoryGrant::effective(available_bytes).value(), bounds).verify();
}

TEST(BoundsVerifier, BoundsThatFitAreVerifiedWithTheirNumbers) {
  const auto grant = MemoryGrant::with_slop_factor(100, 0.25).value();
  const auto result = BoundsVerifier(grant, bounds_with(10, 20)).verify();
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->total_available_bytes(), 75U);
  EXPECT_EQ(result->total_minimum_required_bytes(), 10U);
  EXPECT_EQ(result->total_firm_limit_bytes(), 30U);
  EXPECT_EQ(result->bounds().subcomponents().size(), 2U);
  EXPECT_EQ(result->grant().initial_limit_bytes(), 100U);
}

TEST(BoundsVerifier, JustAsMuchAsThereIsFits) {
  EXPECT_TRUE(verified(30, bounds_with(10, 20)).has_value());
  EXPECT_TRUE(verified(30, bounds_with(30, 0)).has_value());
  EXPECT_TRUE(verified(0, ComponentBounds()).has_value());
}

TEST(BoundsVerifier, OneByteMoreInTheFirmLimitDoesNot) {
  const auto result = verified(29, bounds_with(10, 20));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind(), VerifierError::FirmLimitExceedsAvailable);
  EXPECT_EQ(result.error().available_bytes(), 29U);
  EXPECT_EQ(result.error().required_bytes(), 30U);
  EXPECT_EQ(result.error().component(), "root");
}

TEST(BoundsVerifier, TheMinimumIsLookedAtBeforeTheFirmLimit) {
  const auto result = verified(9, bounds_with(10, 20));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind(), VerifierError::InsufficientMinimumMemory);
  EXPECT_EQ(result.error().available_bytes(), 9U);
  EXPECT_EQ(result.error().required_bytes(), 10U);
}

TEST(BoundsVerifier, TheSlopIsNotAvailable) {
  const auto grant = MemoryGrant::with_slop_factor(100, 0.5).value();
  const auto result = BoundsVerifier(grant, bounds_with(51, 0)).verify();
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().available_bytes(), 50U);
}

TEST(BoundsVerifier, AnExpressionThatOverflowsIsInvalidInItsComponent) {
  const MemoryBoundsBuilder builder;
  builder.minimum().with_fixed_amount("x", 1000);
  builder.subcomponent("topology.sources").firm().with_array<std::uint64_t>("buffers", kMax / 2);
  const auto result = verified(10, builder.as_bounds());
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind(), VerifierError::InvalidComponentBounds);
  EXPECT_EQ(result.error().component(), "topology.sources");
  EXPECT_EQ(result.error().available_bytes(), 10U);
  EXPECT_EQ(result.error().required_bytes(), kMax);
  EXPECT_EQ(result.error().message(),
            "invalid bounds of the component \"topology.sources\": the product \"buffers\" is more than "
            "18446744073709551615 bytes, the most that there can be: 9223372036854775807 x 8");
}

TEST(BoundsVerifier, ASumOfComponentsThatOverflowsIsInvalidWhereItDoes) {
  const MemoryBoundsBuilder builder;
  builder.subcomponent("a.b").minimum().with_fixed_amount("x", kMax);
  builder.subcomponent("a.c").minimum().with_fixed_amount("x", 1);
  const auto result = verified(10, builder.as_bounds());
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind(), VerifierError::InvalidComponentBounds);
  EXPECT_EQ(result.error().component(), "a");
}

TEST(BoundsVerifier, AFirmLimitThatOverflowsThoughNoPartDoesIsInvalid) {
  const MemoryBoundsBuilder builder;
  builder.minimum().with_fixed_amount("x", 1);
  builder.firm().with_fixed_amount("y", kMax);
  const auto result = verified(10, builder.as_bounds());
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind(), VerifierError::InvalidComponentBounds);
  EXPECT_EQ(result.error().component(), "root");
}

TEST(BoundsVerifier, TheErrorSaysTheNumbersInReadableUnitsAndWhichGrantWouldDo) {
  const MemoryBoundsBuilder builder;
  builder.minimum().with_fixed_amount("x", kMiB);
  builder.subcomponent("topology.aggregate").minimum().with_fixed_amount("x", 64 * kMiB);
  builder.subcomponent("topology.sources").minimum().with_fixed_amount("x", 8 * kMiB);
  builder.subcomponent("api").minimum().with_fixed_amount("x", kMiB / 2);
  const auto grant = MemoryGrant::with_slop_factor(64 * kMiB, 0.25).value();
  const auto result = BoundsVerifier(grant, builder.as_bounds()).verify();
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(
      result.error().message(),
      "insufficient memory: the components need at least 73.5 MiB (77070336 bytes), and 48 MiB (50331648 bytes) are "
      "available of 64 MiB granted; most for topology.aggregate 64 MiB, topology.sources 8 MiB, root 1 MiB; a limit "
      "of 98 MiB (102760448 bytes) would do");
}

TEST(BoundsVerifier, TheErrorOfAFirmLimitNamesWhoMayUseTheMost) {
  const auto result = verified(kMiB, bounds_with(kMiB / 2, kMiB));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().message(),
            "firm limit too high: the components may use up to 1.5 MiB (1572864 bytes), and 1 MiB (1048576 bytes) are "
            "available; most for b 1 MiB, a 512 KiB; a limit of 1.5 MiB (1572864 bytes) would do");
}

TEST(BoundsVerifier, TheLargestComponentsCountWhatIsTheirOwn) {
  const MemoryBoundsBuilder builder;
  builder.subcomponent("a").minimum().with_fixed_amount("x", 1);
  builder.subcomponent("a.b").minimum().with_fixed_amount("x", 50);
  builder.subcomponent("a.c").minimum().with_fixed_amount("x", 50);
  builder.subcomponent("d").minimum().with_fixed_amount("x", 20);
  const auto result = verified(1, builder.as_bounds());
  ASSERT_FALSE(result.has_value());
  const auto& largest = result.error().largest_components();
  ASSERT_EQ(largest.size(), 3U);
  EXPECT_EQ(largest[0].component, "a.b");
  EXPECT_EQ(largest[1].component, "a.c");
  EXPECT_EQ(largest[2].component, "d");
  EXPECT_EQ(largest[2].bytes, 20U);
}

TEST(BoundsVerifier, NoGrantIsRecommendedWhereNoneWouldDo) {
  const auto result = verified(kMiB, bounds_with(MemoryGrant::kMaxInitialLimitBytes + 1, 0));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().message().find("would do"), std::string::npos) << result.error().message();
}

TEST(BoundsVerifier, KindsHaveTheirNames) {
  EXPECT_EQ(to_string(VerifierError::InvalidComponentBounds), "InvalidComponentBounds");
  EXPECT_EQ(to_string(VerifierError::InsufficientMinimumMemory), "InsufficientMinimumMemory");
  EXPECT_EQ(to_string(VerifierError::FirmLimitExceedsAvailable), "FirmLimitExceedsAvailable");
}

RC_GTEST_PROP(BoundsVerifierLaws, TheAnswerFollowsFromTheThreeNumbers,
              (std::uint16_t available, std::uint16_t minimum, std::uint16_t firm)) {
  const auto result = verified(available, bounds_with(minimum, firm));
  if (minimum > available) {
    RC_ASSERT(result.error().kind() == VerifierError::InsufficientMinimumMemory);
  } else if (std::size_t{minimum} + firm > available) {
    RC_ASSERT(result.error().kind() == VerifierError::FirmLimitExceedsAvailable);
  } else {
    RC_ASSERT(result.has_value());
  }
}

RC_GTEST_PROP(BoundsVerifierLaws, TheRecommendedGrantIsTheSmallestThatFits, (std::uint32_t minimum)) {
  const double slop = *rc::gen::inRange(0, 99) / 100.0;
  const auto result = BoundsVerifier(MemoryGrant::with_slop_factor(0, slop).value(), bounds_with(minimum, 0)).verify();
  RC_PRE(!result.has_value());
  const std::string message = result.error().message();
  const std::size_t start = message.find("; a limit of ");
  RC_ASSERT(start != std::string::npos);
  // "1.5 MiB (1572864 bytes)", or "512 B" where that is exact.
  const std::string text = message.substr(start + 13);
  const std::size_t parenthesis = text.find('(');
  const std::uint64_t limit = std::stoull(parenthesis == std::string::npos ? text : text.substr(parenthesis + 1));
  const auto fits = [&](std::uint64_t bytes) {
    return BoundsVerifier(MemoryGrant::with_slop_factor(bytes, slop).value(), bounds_with(minimum, 0))
        .verify()
        .has_value();
  };
  RC_ASSERT(fits(limit));
  RC_ASSERT(!fits(limit - 1));
}

}  // namespace
}  // namespace bursar
