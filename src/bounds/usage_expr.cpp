#include <bursar/base/in_quotes.h>
#include <bursar/bounds/usage_expr.h>

#include <algorithm>
#include <cassert>
#include <limits>
#include <utility>

namespace bursar {
namespace {

using Result = std::expected<std::size_t, UsageOverflow>;

UsageOverflow overflow(std::string_view operation, const std::string& name, std::string_view sign,
                       const std::vector<UsageExpr>& operands) {
  constexpr std::size_t kShownOperands = 4;
  std::string message = "the " + std::string(operation) + ' ' + in_quotes(name) + " is more than " +
                        std::to_string(std::numeric_limits<std::size_t>::max()) +
                        " bytes, the most that there can be: ";
  for (std::size_t index = 0; index < std::min(operands.size(), kShownOperands); ++index) {
    if (index != 0) message.append(sign);
    message += std::to_string(operands[index].evaluate().value());
  }
  if (operands.size() > kShownOperands) message.append(sign).append("...");
  return {.expression = name, .message = std::move(message)};
}

// The error of the first operand that has no value.
const UsageExpr* first_without_value(const std::vector<UsageExpr>& operands) {
  const auto found = std::ranges::find_if(operands, [](const UsageExpr& operand) { return !operand.evaluate(); });
  return found == operands.end() ? nullptr : &*found;
}

Result evaluate_product(const std::string& name, const std::vector<UsageExpr>& operands) {
  if (const UsageExpr* operand = first_without_value(operands)) return operand->evaluate();
  std::size_t result = 1;
  bool overflows = false;
  for (const UsageExpr& operand : operands) {
    const std::size_t factor = *operand.evaluate();
    if (factor == 0) return 0;
    overflows |= result > std::numeric_limits<std::size_t>::max() / factor;
    result *= factor;
  }
  if (overflows) return std::unexpected(overflow("product", name, " x ", operands));
  return result;
}

Result evaluate_sum(const std::string& name, const std::vector<UsageExpr>& operands) {
  if (const UsageExpr* operand = first_without_value(operands)) return operand->evaluate();
  std::size_t result = 0;
  for (const UsageExpr& operand : operands) {
    const std::size_t term = *operand.evaluate();
    if (result > std::numeric_limits<std::size_t>::max() - term) {
      return std::unexpected(overflow("sum", name, " + ", operands));
    }
    result += term;
  }
  return result;
}

}  // namespace

struct UsageExpr::Node {
  Kind kind;
  std::string name;
  std::size_t value;
  std::vector<UsageExpr> operands;
  // Kept, although it could be worked out again: an expression whose parts are shared (doubled 60 times, say) would
  // take time that grows with its number of paths.
  Result result;
};

UsageExpr::UsageExpr(std::shared_ptr<const Node> node) noexcept : node_(std::move(node)) {}

UsageExpr UsageExpr::leaf(Kind kind, std::string name, std::size_t value) {
  return UsageExpr(std::make_shared<const Node>(Node{kind, std::move(name), value, {}, value}));
}

UsageExpr UsageExpr::config(std::string name, std::size_t bytes) {
  return leaf(Kind::Config, std::move(name), bytes);
}

UsageExpr UsageExpr::constant(std::string name, std::size_t bytes) {
  return leaf(Kind::Constant, std::move(name), bytes);
}

UsageExpr UsageExpr::product(std::string name, std::vector<UsageExpr> operands) {
  Result result = evaluate_product(name, operands);
  return UsageExpr(
      std::make_shared<const Node>(Node{Kind::Product, std::move(name), 0, std::move(operands), std::move(result)}));
}

UsageExpr UsageExpr::product(std::string name, UsageExpr left, UsageExpr right) {
  return product(std::move(name), std::vector<UsageExpr>{std::move(left), std::move(right)});
}

UsageExpr UsageExpr::sum(std::string name, std::vector<UsageExpr> operands) {
  Result result = evaluate_sum(name, operands);
  return UsageExpr(
      std::make_shared<const Node>(Node{Kind::Sum, std::move(name), 0, std::move(operands), std::move(result)}));
}

UsageExpr UsageExpr::sum(std::string name, UsageExpr left, UsageExpr right) {
  return sum(std::move(name), std::vector<UsageExpr>{std::move(left), std::move(right)});
}

std::expected<std::size_t, UsageOverflow> UsageExpr::evaluate() const {
  return node_->result;
}

UsageExpr::Kind UsageExpr::kind() const noexcept {
  return node_->kind;
}
const std::string& UsageExpr::name() const noexcept {
  return node_->name;
}
std::size_t UsageExpr::value() const noexcept {
  return node_->value;
}
std::span<const UsageExpr> UsageExpr::operands() const noexcept {
  return node_->operands;
}

std::string_view to_string(UsageExpr::Kind kind) noexcept {
  switch (kind) {
    case UsageExpr::Kind::Config:
      return "Config";
    case UsageExpr::Kind::StructSize:
      return "StructSize";
    case UsageExpr::Kind::Constant:
      return "Constant";
    case UsageExpr::Kind::Product:
      return "Product";
    case UsageExpr::Kind::Sum:
      return "Sum";
  }
  std::unreachable();
}

}  // namespace bursar
