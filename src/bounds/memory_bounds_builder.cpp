#include "bounds/component_node.h"

#include <bursar/base/in_quotes.h>
#include <bursar/bounds/memory_bounds_builder.h>

#include <cassert>
#include <stdexcept>

namespace bursar {

UsageBuilder UsageBuilder::with_expr(UsageExpr expr) const {
  if (bound_ == Bound::Minimum) {
    node_->add_minimum(std::move(expr));
  } else {
    node_->add_firm(std::move(expr));
  }
  return *this;
}

MemoryBoundsBuilder::MemoryBoundsBuilder() : node_(ComponentNode::make_root()) {}

MemoryBoundsBuilder::MemoryBoundsBuilder(std::shared_ptr<ComponentNode> node) noexcept : node_(std::move(node)) {
  assert(node_ != nullptr);
}

MemoryBoundsBuilder MemoryBoundsBuilder::subcomponent(std::string_view name) const {
  auto node = ComponentNode::get_or_create(node_, name);
  if (!node) throw std::invalid_argument(node.error().message);
  return MemoryBoundsBuilder(*std::move(node));
}

void MemoryBoundsBuilder::reset() const {
  node_->reset();
}

ComponentBounds MemoryBoundsBuilder::as_bounds() const {
  return node_->bounds();
}

void MemoryBoundsBuilder::throw_null_component(std::string_view name) {
  throw std::invalid_argument("the subcomponent " + in_quotes(name) +
                              " is a null pointer: give an object that describes its bounds");
}

}  // namespace bursar
