#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bursar {

// Why an expression has no value: somewhere in it a product or a sum is more than a `std::size_t` holds.
//
// Thread-safety: a plain value. Allocates: its strings. Blocks: no.
struct UsageOverflow {
  // The name of the product or the sum.
  std::string expression;
  // One line with the operands.
  std::string message;
};

// An amount of memory in bytes together with how it comes about, so that it can be shown, and worked out again for
// another configuration. Expressions are immutable; a copy shares its parts with the original.
//
// Thread-safety: a value. Allocates: when made. Blocks: no.
// Cost: the value is worked out when the expression is made, once for parts that are shared.
class UsageExpr {
 public:
  // Leaves: a value of the configuration, the size of a type, a number that the code fixes. The others have operands.
  enum class Kind { Config, StructSize, Constant, Product, Sum };

  [[nodiscard]] static UsageExpr config(std::string name, std::size_t bytes);
  [[nodiscard]] static UsageExpr constant(std::string name, std::size_t bytes);
  template <typename T>
  [[nodiscard]] static UsageExpr struct_size(std::string name) {
    return leaf(Kind::StructSize, std::move(name), sizeof(T));
  }

  // A product with an operand that is 0 is 0, in whatever order. No operands: 1 for a product, 0 for a sum.
  [[nodiscard]] static UsageExpr product(std::string name, UsageExpr left, UsageExpr right);
  [[nodiscard]] static UsageExpr product(std::string name, std::vector<UsageExpr> operands);
  [[nodiscard]] static UsageExpr sum(std::string name, UsageExpr left, UsageExpr right);
  [[nodiscard]] static UsageExpr sum(std::string name, std::vector<UsageExpr> operands);

  // Copies only: an expression that was moved from stays whole.
  UsageExpr(const UsageExpr&) = default;
  UsageExpr& operator=(const UsageExpr&) = default;
  ~UsageExpr() = default;

  // The exact value, or an error; never a value that has wrapped around.
  [[nodiscard]] std::expected<std::size_t, UsageOverflow> evaluate() const;

  [[nodiscard]] Kind kind() const noexcept;
  [[nodiscard]] const std::string& name() const noexcept;
  // The number of a leaf; 0 for a product and a sum.
  [[nodiscard]] std::size_t value() const noexcept;
  // The operands of a product or a sum; none for a leaf. Valid as long as this expression or a copy lives.
  [[nodiscard]] std::span<const UsageExpr> operands() const noexcept;

 private:
  struct Node;

  explicit UsageExpr(std::shared_ptr<const Node> node) noexcept;
  [[nodiscard]] static UsageExpr leaf(Kind kind, std::string name, std::size_t value);

  std::shared_ptr<const Node> node_;
};

// "Config", "StructSize", "Constant", "Product", "Sum": the `type` of an expression in JSON.
[[nodiscard]] std::string_view to_string(UsageExpr::Kind kind) noexcept;

}  // namespace bursar
