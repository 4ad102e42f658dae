#include <bursar/bounds/component_bounds.h>
#include <bursar/bounds/memory_bounds_builder.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>
#include <map>
#include <string>
#include <vector>

namespace bursar {
namespace {

using ::testing::ElementsAre;

constexpr std::size_t kMax = std::numeric_limits<std::size_t>::max();

std::vector<std::string> names_of(const std::vector<NamedExpression>& exprs) {
  std::vector<std::string> names;
  for (const auto& [name, expr] : exprs) names.push_back(name);
  return names;
}

// root: 1 + 2 firm; a: 10 + 20 firm; a.b: 100 + 200 firm; c: 1000, nothing firm.
ComponentBounds small_tree() {
  const MemoryBoundsBuilder builder;
  builder.minimum().with_fixed_amount("root", 1);
  builder.firm().with_fixed_amount("root", 2);
  builder.subcomponent("c").minimum().with_fixed_amount("c", 1000);
  builder.subcomponent("a").minimum().with_fixed_amount("a", 10);
  builder.subcomponent("a").firm().with_fixed_amount("a", 20);
  builder.subcomponent("a.b").minimum().with_fixed_amount("b", 100);
  builder.subcomponent("a.b").firm().with_fixed_amount("b", 200);
  return builder.as_bounds();
}

TEST(ComponentBounds, NothingDeclaredNeedsNothing) {
  const ComponentBounds bounds;
  EXPECT_EQ(bounds.total_minimum_required_bytes(), 0U);
  EXPECT_EQ(bounds.total_firm_limit_bytes(), 0U);
  EXPECT_TRUE(bounds.subcomponents().empty());
  EXPECT_TRUE(bounds.to_exprs().empty());
}

TEST(ComponentBounds, TheTotalMinimumIsThatOfAllComponents) {
  EXPECT_EQ(small_tree().total_minimum_required_bytes(), 1U + 10 + 100 + 1000);
}

TEST(ComponentBounds, TheTotalFirmLimitIncludesEveryMinimum) {
  EXPECT_EQ(small_tree().total_firm_limit_bytes(), (1U + 2) + (10 + 20) + (100 + 200) + 1000);
}

TEST(ComponentBounds, OwnFiguresLeaveOutWhatIsBelow) {
  const ComponentBounds bounds = small_tree();
  EXPECT_EQ(bounds.own_minimum_required_bytes(), 1U);
  EXPECT_EQ(bounds.own_firm_limit_bytes(), 2U);
  EXPECT_EQ(bounds.own_limit_bytes(), 3U);
}

TEST(ComponentBounds, SubcomponentsAreTheDirectOnesSortedByName) {
  const ComponentBounds bounds = small_tree();
  ASSERT_EQ(bounds.subcomponents().size(), 2U);
  EXPECT_EQ(bounds.subcomponents()[0].name, "a");
  EXPECT_EQ(bounds.subcomponents()[0].bounds.total_minimum_required_bytes(), 110U);
  EXPECT_EQ(bounds.subcomponents()[1].name, "c");
  EXPECT_EQ(bounds.subcomponents()[1].bounds.total_minimum_required_bytes(), 1000U);
}

TEST(ComponentBounds, SubcomponentsGivenInAnyOrderAreSorted) {
  const ComponentBounds bounds({}, {}, {{.name = "b", .bounds = {}}, {.name = "a", .bounds = {}}});
  EXPECT_EQ(bounds.subcomponents()[0].name, "a");
}

TEST(ComponentBounds, ExpressionsAreNamedByPathAndSorted) {
  EXPECT_THAT(names_of(small_tree().to_exprs()), ElementsAre("root.a.b.firm", "root.a.b.min", "root.a.firm",
                                                             "root.a.min", "root.c.min", "root.firm", "root.min"));
}

TEST(ComponentBounds, ExpressionsAreSortedByWholeNamesNotLevelByLevel) {
  const MemoryBoundsBuilder builder;
  builder.subcomponent("a.b").minimum().with_fixed_amount("x", 1);
  builder.subcomponent("a-b").minimum().with_fixed_amount("x", 1);
  EXPECT_THAT(names_of(builder.as_bounds().to_exprs()), ElementsAre("root.a-b.min", "root.a.b.min"));
}

TEST(ComponentBounds, ASingleExpressionIsShownAsItIs) {
  const MemoryBoundsBuilder builder;
  builder.subcomponent("a").minimum().with_array<std::uint32_t>("slots", 100);
  const std::vector<NamedExpression> exprs = builder.as_bounds().to_exprs();
  ASSERT_EQ(exprs.size(), 1U);
  EXPECT_EQ(exprs[0].expr.kind(), UsageExpr::Kind::Product);
  EXPECT_EQ(exprs[0].expr.evaluate().value(), 400U);
}

TEST(ComponentBounds, SeveralExpressionsAreShownAsTheirSum) {
  const MemoryBoundsBuilder builder;
  builder.firm().with_fixed_amount("a", 1).with_fixed_amount("b", 2).with_fixed_amount("c", 3);
  const std::vector<NamedExpression> exprs = builder.as_bounds().to_exprs();
  ASSERT_EQ(exprs.size(), 1U);
  EXPECT_EQ(exprs[0].name, "root.firm");
  EXPECT_EQ(exprs[0].expr.kind(), UsageExpr::Kind::Sum);
  EXPECT_EQ(exprs[0].expr.operands().size(), 3U);
  EXPECT_EQ(exprs[0].expr.evaluate().value(), 6U);
}

TEST(ComponentBounds, TotalsThatOverflowAreTheLargestNumber) {
  const MemoryBoundsBuilder builder;
  builder.subcomponent("a").minimum().with_fixed_amount("x", kMax);
  builder.subcomponent("b").minimum().with_fixed_amount("x", 1);
  EXPECT_EQ(builder.as_bounds().total_minimum_required_bytes(), kMax);
  EXPECT_EQ(builder.as_bounds().total_firm_limit_bytes(), kMax);
}

TEST(ComponentBounds, AnExpressionThatOverflowsMakesTheTotalTheLargestNumber) {
  const MemoryBoundsBuilder builder;
  builder.firm().with_array<std::uint64_t>("x", kMax);
  EXPECT_EQ(builder.as_bounds().total_minimum_required_bytes(), 0U);
  EXPECT_EQ(builder.as_bounds().total_firm_limit_bytes(), kMax);
}

// Random declarations in a random tree, and what they add up to.
struct DeclaredTree {
  MemoryBoundsBuilder builder;
  std::size_t minimum_bytes = 0;
  std::size_t firm_bytes = 0;
};

DeclaredTree random_tree() {
  DeclaredTree tree;
  const auto declarations =
      *rc::gen::container<std::vector<std::tuple<std::vector<std::uint8_t>, bool, std::uint32_t>>>(
          rc::gen::tuple(rc::gen::container<std::vector<std::uint8_t>>(rc::gen::inRange<std::uint8_t>(0, 3)),
                         rc::gen::arbitrary<bool>(), rc::gen::arbitrary<std::uint32_t>()));
  for (const auto& [segments, is_firm, bytes] : declarations) {
    MemoryBoundsBuilder component = tree.builder;
    for (std::size_t level = 0; level < std::min<std::size_t>(segments.size(), 5); ++level) {
      component = component.subcomponent(std::string(1, static_cast<char>('a' + segments[level])));
    }
    (is_firm ? component.firm() : component.minimum()).with_fixed_amount("amount", bytes);
    (is_firm ? tree.firm_bytes : tree.minimum_bytes) += bytes;
  }
  return tree;
}

RC_GTEST_PROP(ComponentBoundsLaws, TotalsAreTheSumOfAllDeclarations, ()) {
  const DeclaredTree tree = random_tree();
  const ComponentBounds bounds = tree.builder.as_bounds();
  RC_ASSERT(bounds.total_minimum_required_bytes() == tree.minimum_bytes);
  RC_ASSERT(bounds.total_firm_limit_bytes() == tree.minimum_bytes + tree.firm_bytes);
}

RC_GTEST_PROP(ComponentBoundsLaws, AllExpressionsAddUpToTheTotals, ()) {
  const DeclaredTree tree = random_tree();
  std::size_t minimum_bytes = 0;
  std::size_t all_bytes = 0;
  std::string previous;
  for (const auto& [name, expr] : tree.builder.as_bounds().to_exprs()) {
    RC_ASSERT(previous < name);
    previous = name;
    all_bytes += expr.evaluate().value();
    if (name.ends_with(".min")) minimum_bytes += expr.evaluate().value();
  }
  RC_ASSERT(minimum_bytes == tree.minimum_bytes);
  RC_ASSERT(all_bytes == tree.minimum_bytes + tree.firm_bytes);
}

}  // namespace
}  // namespace bursar
