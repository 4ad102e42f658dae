#include <bursar/bounds/usage_expr.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>
#include <string>
#include <vector>

namespace bursar {
namespace {

constexpr std::size_t kMax = std::numeric_limits<std::size_t>::max();
__extension__ using Wide = unsigned __int128;

struct Context {
  char bytes[48];
};

std::vector<UsageExpr> constants(const std::vector<std::size_t>& values) {
  std::vector<UsageExpr> result;
  for (const std::size_t value : values) result.push_back(UsageExpr::constant("value", value));
  return result;
}

TEST(UsageExpr, ALeafIsItsNumber) {
  EXPECT_EQ(UsageExpr::config("max_contexts", 1000).evaluate().value(), 1000U);
  EXPECT_EQ(UsageExpr::constant("header", 16).evaluate().value(), 16U);
  EXPECT_EQ(UsageExpr::struct_size<Context>("Context").evaluate().value(), 48U);
  EXPECT_EQ(UsageExpr::constant("all", kMax).evaluate().value(), kMax);
}

TEST(UsageExpr, NestedExpressionsAreWorkedOut) {
  const UsageExpr expr = UsageExpr::sum(
      "buffers", UsageExpr::product("packets", UsageExpr::config("count", 8), UsageExpr::config("size", 8192)),
      UsageExpr::product("contexts", {UsageExpr::config("max_contexts", 1000),
                                      UsageExpr::struct_size<Context>("Context"), UsageExpr::constant("copies", 2)}));
  EXPECT_EQ(expr.evaluate().value(), 8U * 8192 + 1000U * 48 * 2);
}

TEST(UsageExpr, NoOperandsAreTheNeutralElement) {
  EXPECT_EQ(UsageExpr::product("nothing", std::vector<UsageExpr>{}).evaluate().value(), 1U);
  EXPECT_EQ(UsageExpr::sum("nothing", std::vector<UsageExpr>{}).evaluate().value(), 0U);
}

TEST(UsageExpr, AProductThatOverflowsIsAnErrorWithItsNameAndOperands) {
  const auto value =
      UsageExpr::product("contexts", UsageExpr::config("n", kMax / 2), UsageExpr::constant("size", 3)).evaluate();
  ASSERT_FALSE(value.has_value());
  EXPECT_EQ(value.error().expression, "contexts");
  EXPECT_EQ(value.error().message,
            "the product \"contexts\" is more than 18446744073709551615 bytes, the most that there can be: "
            "9223372036854775807 x 3");
}

TEST(UsageExpr, ASumThatOverflowsByOneIsAnErrorAndTheLargestIsNot) {
  EXPECT_EQ(UsageExpr::sum("all", UsageExpr::config("a", kMax - 1), UsageExpr::config("b", 1)).evaluate().value(),
            kMax);
  const auto value = UsageExpr::sum("all", UsageExpr::config("a", kMax), UsageExpr::config("b", 1)).evaluate();
  ASSERT_FALSE(value.has_value());
  EXPECT_EQ(value.error().expression, "all");
}

TEST(UsageExpr, ALongSumThatOverflowsShowsItsFirstOperandsOnly) {
  const auto value = UsageExpr::sum("many", constants({kMax, 1, 2, 3, 4, 5})).evaluate();
  ASSERT_FALSE(value.has_value());
  EXPECT_TRUE(value.error().message.ends_with(": 18446744073709551615 + 1 + 2 + 3 + ...")) << value.error().message;
}

TEST(UsageExpr, AnOverflowInsideNamesTheInnermost) {
  const UsageExpr inner = UsageExpr::product("inner", UsageExpr::config("a", kMax), UsageExpr::config("b", 2));
  const auto value = UsageExpr::product("outer", UsageExpr::constant("zero", 0), inner).evaluate();
  ASSERT_FALSE(value.has_value());
  EXPECT_EQ(value.error().expression, "inner");
}

TEST(UsageExpr, AProductWithAZeroIsZeroInWhateverOrder) {
  EXPECT_EQ(UsageExpr::product("none", constants({kMax, 2, 0})).evaluate().value(), 0U);
  EXPECT_EQ(UsageExpr::product("none", constants({0, kMax, 2})).evaluate().value(), 0U);
}

TEST(UsageExpr, SharedPartsAreWorkedOutOnce) {
  UsageExpr expr = UsageExpr::constant("one", 1);
  for (int doubling = 0; doubling < 63; ++doubling) expr = UsageExpr::sum("doubled", expr, expr);
  EXPECT_EQ(expr.evaluate().value(), std::size_t{1} << 63);
  EXPECT_FALSE(UsageExpr::sum("doubled", expr, expr).evaluate().has_value());
}

TEST(UsageExpr, ALeafShowsWhatItIs) {
  const UsageExpr expr = UsageExpr::struct_size<Context>("Context");
  EXPECT_EQ(expr.kind(), UsageExpr::Kind::StructSize);
  EXPECT_EQ(expr.name(), "Context");
  EXPECT_EQ(expr.value(), 48U);
  EXPECT_TRUE(expr.operands().empty());
}

TEST(UsageExpr, AProductShowsItsOperandsInOrder) {
  const UsageExpr expr = UsageExpr::product("p", UsageExpr::config("a", 2), UsageExpr::constant("b", 3));
  EXPECT_EQ(expr.kind(), UsageExpr::Kind::Product);
  EXPECT_EQ(expr.name(), "p");
  EXPECT_EQ(expr.value(), 0U);
  ASSERT_EQ(expr.operands().size(), 2U);
  EXPECT_EQ(expr.operands()[0].name(), "a");
  EXPECT_EQ(expr.operands()[0].kind(), UsageExpr::Kind::Config);
  EXPECT_EQ(expr.operands()[1].name(), "b");
  EXPECT_EQ(expr.operands()[1].kind(), UsageExpr::Kind::Constant);
}

TEST(UsageExpr, KindsHaveTheNamesOfTheJson) {
  EXPECT_EQ(to_string(UsageExpr::Kind::Config), "Config");
  EXPECT_EQ(to_string(UsageExpr::Kind::StructSize), "StructSize");
  EXPECT_EQ(to_string(UsageExpr::Kind::Constant), "Constant");
  EXPECT_EQ(to_string(UsageExpr::Kind::Product), "Product");
  EXPECT_EQ(to_string(UsageExpr::Kind::Sum), "Sum");
}

TEST(UsageExpr, StaysWholeWhenMovedFrom) {
  UsageExpr expr = UsageExpr::config("a", 5);
  const UsageExpr moved = std::move(expr);
  EXPECT_EQ(expr.evaluate().value(), 5U);
  EXPECT_EQ(moved.evaluate().value(), 5U);
}

RC_GTEST_PROP(UsageExprLaws, AProductIsTheExactOneOrAnError, (std::size_t left, std::size_t right)) {
  left >>= *rc::gen::inRange(0, 64);
  right >>= *rc::gen::inRange(0, 64);
  const Wide exact = Wide{left} * right;
  const auto value =
      UsageExpr::product("p", UsageExpr::constant("l", left), UsageExpr::constant("r", right)).evaluate();
  RC_ASSERT(value.has_value() == (exact <= kMax));
  if (value) RC_ASSERT(Wide{*value} == exact);
}

RC_GTEST_PROP(UsageExprLaws, ASumIsTheExactOneOrAnError, (std::vector<std::size_t> terms)) {
  Wide exact = 0;
  for (std::size_t& term : terms) {
    term >>= *rc::gen::inRange(0, 4);
    exact += term;
  }
  const auto value = UsageExpr::sum("s", constants(terms)).evaluate();
  RC_ASSERT(value.has_value() == (exact <= kMax));
  if (value) RC_ASSERT(Wide{*value} == exact);
}

RC_GTEST_PROP(UsageExprLaws, TheOrderOfFactorsMakesNoDifference, (std::vector<std::uint16_t> small)) {
  std::vector<std::size_t> factors(small.begin(), small.end());
  const auto forward = UsageExpr::product("p", constants(factors)).evaluate();
  std::reverse(factors.begin(), factors.end());
  const auto backward = UsageExpr::product("p", constants(factors)).evaluate();
  RC_ASSERT(forward.has_value() == backward.has_value());
  if (forward) RC_ASSERT(*forward == *backward);
}

}  // namespace
}  // namespace bursar
