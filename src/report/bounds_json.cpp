#include <bursar/report/resource_json.h>

#include <bursar/base/utf8.h>

#include <nlohmann/json.hpp>

namespace bursar {
namespace {

using Json = nlohmann::ordered_json;

Json expression(const UsageExpr& expr) {
  Json json{{"type", to_string(expr.kind())}};
  if (expr.kind() == UsageExpr::Kind::Product || expr.kind() == UsageExpr::Kind::Sum) {
    Json values = Json::array();
    for (const UsageExpr& operand : expr.operands()) {
      values.push_back(expression(operand));
    }
    json["values"] = std::move(values);
  } else {
    json["name"] = to_valid_utf8(expr.name());
    json["value"] = expr.value();
  }
  return json;
}

}  // namespace

std::string bounds_json(const ComponentBounds& bounds) {
  Json json = Json::array();
  for (const NamedExpression& bound : bounds.to_exprs()) {
    json.push_back({{"name", to_valid_utf8(bound.name)}, {"expr", expression(bound.expr)}});
  }
  return json.dump();
}

}  // namespace bursar
