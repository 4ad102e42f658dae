#include <bursar/report/resource_json.h>

#include <bursar/registry/component_registry.h>

#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

namespace bursar {
namespace {

using Json = nlohmann::json;

struct Context {
  char bytes[64];
};

TEST(BoundsJson, ShowsEachBoundAsItsExpressionSortedByName) {
  const ComponentRegistry registry;
  registry.get_or_create("b").bounds_builder().minimum().with_fixed_amount("buffer", 10);
  const auto a = registry.get_or_create("a.b").bounds_builder();
  a.firm().with_array<Context>("contexts", 1000);
  a.minimum().with_single_value<Context>("one");
  a.minimum().with_expr(UsageExpr::sum("both", UsageExpr::config("x", 1), UsageExpr::constant("y", 2)));

  EXPECT_EQ(Json::parse(bounds_json(registry.as_bounds())), Json::parse(R"([
    {"name": "root.a.b.firm", "expr": {"type": "Product", "values": [
        {"type": "Config", "name": "contexts.len", "value": 1000},
        {"type": "StructSize", "name": "contexts.value", "value": 64}]}},
    {"name": "root.a.b.min", "expr": {"type": "Sum", "values": [
        {"type": "StructSize", "name": "one", "value": 64},
        {"type": "Sum", "values": [
            {"type": "Config", "name": "x", "value": 1},
            {"type": "Constant", "name": "y", "value": 2}]}]}},
    {"name": "root.b.min", "expr": {"type": "Constant", "name": "buffer", "value": 10}}
  ])"));
}

TEST(BoundsJson, OfNothingDeclaredIsAnEmptyList) {
  EXPECT_EQ(bounds_json(ComponentBounds()), "[]");
}

TEST(BoundsJson, KeepsTheLargestNumber) {
  const ComponentBounds bounds({UsageExpr::constant("all", SIZE_MAX)}, {}, {});
  EXPECT_EQ(Json::parse(bounds_json(bounds))[0]["expr"]["value"], SIZE_MAX);
}

}  // namespace
}  // namespace bursar
