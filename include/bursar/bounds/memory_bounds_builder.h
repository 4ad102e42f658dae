#pragma once

#include <bursar/bounds/component_bounds.h>
#include <bursar/bounds/container_usage.h>
#include <bursar/bounds/memory_bounds.h>
#include <bursar/bounds/usage_expr.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace bursar {

class ComponentNode;

// Declares one bound of one component, entry by entry: what `minimum()` and `firm()` of a `MemoryBoundsBuilder` return.
// Every entry adds to the bound, also one that was declared before. Copies declare the same bound.
//
// Thread-safety: all functions may be called from any thread. Allocates: yes. Blocks: for other users of the tree.
class UsageBuilder {
 public:
  // One value of type T on the heap: sizeof(T).
  template <typename T>
  UsageBuilder with_single_value(std::string name) const {
    return with_expr(UsageExpr::struct_size<T>(std::move(name)));
  }

  // A number of bytes that the code fixes.
  UsageBuilder with_fixed_amount(std::string name, std::size_t bytes) const {
    return with_expr(UsageExpr::constant(std::move(name), bytes));
  }

  // `length` values of type T beside each other: length x sizeof(T).
  template <typename T>
  UsageBuilder with_array(const std::string& name, std::size_t length) const {
    return with_expr(
        UsageExpr::product(name, UsageExpr::config(name + ".len", length), UsageExpr::struct_size<T>(name + ".value")));
  }

  // The payload of a map with `length` entries: length x (sizeof(Key) + sizeof(Value)).
  template <typename Key, typename Value>
  UsageBuilder with_map(const std::string& name, std::size_t length) const {
    return with_expr(UsageExpr::product(name, UsageExpr::config(name + ".len", length),
                                        UsageExpr::sum(name + ".entry", UsageExpr::struct_size<Key>(name + ".key"),
                                                       UsageExpr::struct_size<Value>(name + ".value"))));
  }

  // What a standard container of type Container takes on the heap with `length` elements; see container_usage.h.
  template <StandardContainer Container>
  UsageBuilder with_container(const std::string& name, std::size_t length) const {
    return with_expr(container_usage<Container>(name, length));
  }

  UsageBuilder with_expr(UsageExpr expr) const;

 private:
  friend class MemoryBoundsBuilder;
  enum class Bound { Minimum, Firm };

  UsageBuilder(std::shared_ptr<ComponentNode> node, Bound bound) noexcept : node_(std::move(node)), bound_(bound) {}

  std::shared_ptr<ComponentNode> node_;
  Bound bound_;
};

// Declares the bounds of a component and of its subcomponents. It names a node of a tree of components and shares the
// ownership of that tree; copies name the same node. One made by itself is the root of a tree of its own.
//
// A component that is declared while it is read shows some of its entries. Where that matters, declare before others
// look.
//
// Thread-safety: all functions may be called from any thread. Allocates: yes. Blocks: for other users of the tree.
class MemoryBoundsBuilder {
 public:
  MemoryBoundsBuilder();

  // What the component needs to work at all.
  [[nodiscard]] UsageBuilder minimum() const { return {node_, UsageBuilder::Bound::Minimum}; }
  // What it may use on top of that.
  [[nodiscard]] UsageBuilder firm() const { return {node_, UsageBuilder::Bound::Firm}; }

  // The subcomponent `name`, which may be a dotted path; levels that do not exist are made.
  // Throws std::invalid_argument with the message of a ComponentNameError.
  [[nodiscard]] MemoryBoundsBuilder subcomponent(std::string_view name) const;

  // Lets `component` declare its bounds as the subcomponent `name`; answers this builder.
  // Throws std::invalid_argument like `subcomponent`, and where `component` is a null pointer.
  template <MemoryBounds Component>
  MemoryBoundsBuilder with_subcomponent(std::string_view name, const Component& component) const {
    const auto* described = detail::ComponentAccess<Component>::get(component);
    if (described == nullptr) throw_null_component(name);
    MemoryBoundsBuilder builder = subcomponent(name);
    described->specify_bounds(builder);
    return *this;
  }

  // Forgets what was declared for this component and for everything below it, so that it can be declared anew. The
  // components themselves stay, since handles and resource groups name them.
  void reset() const;

  // What has been declared for this component and below.
  [[nodiscard]] ComponentBounds as_bounds() const;

  // REQUIRES: `node` is not null. For what keeps components in a tree, as the registry does.
  explicit MemoryBoundsBuilder(std::shared_ptr<ComponentNode> node) noexcept;

 private:
  [[noreturn]] static void throw_null_component(std::string_view name);

  std::shared_ptr<ComponentNode> node_;
};

// The bounds that `component` describes, by themselves.
// Throws std::invalid_argument where the component does so in naming a subcomponent.
// REQUIRES: `component` is not a null pointer.
template <MemoryBounds Component>
[[nodiscard]] ComponentBounds bounds_of(const Component& component) {
  MemoryBoundsBuilder builder;
  detail::ComponentAccess<Component>::get(component)->specify_bounds(builder);
  return builder.as_bounds();
}

}  // namespace bursar
