#include <bursar/bounds/component_bounds.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace bursar {
namespace {

std::size_t saturated_sum(std::size_t left, std::size_t right) noexcept {
  return left > std::numeric_limits<std::size_t>::max() - right ? std::numeric_limits<std::size_t>::max()
                                                                : left + right;
}

std::size_t saturated_total(const std::vector<UsageExpr>& exprs) noexcept {
  std::size_t total = 0;
  for (const UsageExpr& expr : exprs) {
    total = saturated_sum(total, expr.evaluate().value_or(std::numeric_limits<std::size_t>::max()));
  }
  return total;
}

void append_bound(std::vector<NamedExpression>& result, std::string name, const std::vector<UsageExpr>& exprs) {
  if (exprs.empty()) return;
  UsageExpr expr = exprs.size() == 1 ? exprs.front() : UsageExpr::sum(name, exprs);
  result.push_back({.name = std::move(name), .expr = std::move(expr)});
}

void append_exprs(std::vector<NamedExpression>& result, const std::string& path, const ComponentBounds& bounds) {
  append_bound(result, path + ".min", bounds.minimum_exprs());
  append_bound(result, path + ".firm", bounds.firm_exprs());
  for (const auto& [name, subcomponent] : bounds.subcomponents()) {
    append_exprs(result, path + '.' + name, subcomponent);
  }
}

}  // namespace

ComponentBounds::ComponentBounds() = default;
ComponentBounds::ComponentBounds(std::vector<UsageExpr> minimum, std::vector<UsageExpr> firm,
                                 std::vector<Subcomponent> subcomponents)
    : minimum_(std::move(minimum)), firm_(std::move(firm)), subcomponents_(std::move(subcomponents)) {
  std::ranges::sort(subcomponents_, {}, &Subcomponent::name);
}
ComponentBounds::ComponentBounds(const ComponentBounds&) = default;
ComponentBounds::ComponentBounds(ComponentBounds&&) noexcept = default;
ComponentBounds& ComponentBounds::operator=(const ComponentBounds&) = default;
ComponentBounds& ComponentBounds::operator=(ComponentBounds&&) noexcept = default;
ComponentBounds::~ComponentBounds() = default;

std::size_t ComponentBounds::own_minimum_required_bytes() const noexcept {
  return saturated_total(minimum_);
}

std::size_t ComponentBounds::own_firm_limit_bytes() const noexcept {
  return saturated_total(firm_);
}

std::size_t ComponentBounds::own_limit_bytes() const noexcept {
  return saturated_sum(own_minimum_required_bytes(), own_firm_limit_bytes());
}

std::size_t ComponentBounds::total_minimum_required_bytes() const noexcept {
  std::size_t total = own_minimum_required_bytes();
  for (const auto& [name, bounds] : subcomponents_) total = saturated_sum(total, bounds.total_minimum_required_bytes());
  return total;
}

std::size_t ComponentBounds::total_firm_limit_bytes() const noexcept {
  std::size_t total = own_limit_bytes();
  for (const auto& [name, bounds] : subcomponents_) total = saturated_sum(total, bounds.total_firm_limit_bytes());
  return total;
}

std::vector<NamedExpression> ComponentBounds::to_exprs() const {
  std::vector<NamedExpression> result;
  append_exprs(result, "root", *this);
  std::ranges::sort(result, {}, &NamedExpression::name);
  return result;
}

}  // namespace bursar
