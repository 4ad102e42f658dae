#pragma once

#include <bursar/bounds/usage_expr.h>

#include <cstddef>
#include <string>
#include <vector>

namespace bursar {

// One bound of one component, as `/bounds` shows it.
//
// Thread-safety: a plain value. Allocates: its strings. Blocks: no.
struct NamedExpression {
  // `root.<path>.min` or `root.<path>.firm`; for the root itself `root.min` or `root.firm`.
  std::string name;
  UsageExpr expr;
};

// The declared bounds of a component and of everything below it, as they were at one moment.
//
// A component has a *minimum*, what it needs to work at all, and a *firm* part, what it may use on top. A *total*
// firm limit includes the minimum. Sums that no `std::size_t` holds answer SIZE_MAX; the `BoundsVerifier` rejects them.
//
// Thread-safety: a value. Allocates: when copied, and in `to_exprs()`. Blocks: no.
// Cost: the totals walk the tree each time.
class ComponentBounds {
 public:
  struct Subcomponent;

  // No bounds at all.
  ComponentBounds();
  ComponentBounds(std::vector<UsageExpr> minimum, std::vector<UsageExpr> firm, std::vector<Subcomponent> subcomponents);
  ComponentBounds(const ComponentBounds&);
  ComponentBounds(ComponentBounds&&) noexcept;
  ComponentBounds& operator=(const ComponentBounds&);
  ComponentBounds& operator=(ComponentBounds&&) noexcept;
  ~ComponentBounds();

  // Own minimum and those of all components below.
  [[nodiscard]] std::size_t total_minimum_required_bytes() const noexcept;
  // Own minimum and own firm part, and the total firm limits of the subcomponents.
  [[nodiscard]] std::size_t total_firm_limit_bytes() const noexcept;

  // The component itself, without what is below it: its minimum, its firm part, and both together.
  [[nodiscard]] std::size_t own_minimum_required_bytes() const noexcept;
  [[nodiscard]] std::size_t own_firm_limit_bytes() const noexcept;
  [[nodiscard]] std::size_t own_limit_bytes() const noexcept;

  // What the component itself declared, in the order of declaration; each adds to the bound.
  [[nodiscard]] const std::vector<UsageExpr>& minimum_exprs() const noexcept { return minimum_; }
  [[nodiscard]] const std::vector<UsageExpr>& firm_exprs() const noexcept { return firm_; }

  // The direct ones only, sorted by name, which has no dots.
  [[nodiscard]] const std::vector<Subcomponent>& subcomponents() const noexcept { return subcomponents_; }

  // Every bound that was declared, here and below, sorted by name. A bound of which nothing was declared is left out;
  // one of a single expression is that expression; one of several is their sum. The `firm` entries are the firm parts
  // alone, so all entries together add up to `total_firm_limit_bytes()`.
  [[nodiscard]] std::vector<NamedExpression> to_exprs() const;

 private:
  std::vector<UsageExpr> minimum_;
  std::vector<UsageExpr> firm_;
  std::vector<Subcomponent> subcomponents_;
};

struct ComponentBounds::Subcomponent {
  std::string name;
  ComponentBounds bounds;
};

}  // namespace bursar
