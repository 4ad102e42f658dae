#pragma once

#include <bursar/bounds/component_bounds.h>
#include <bursar/bounds/component_name.h>
#include <bursar/bounds/usage_expr.h>

#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace bursar {

// A component in a tree of components: its name, what it declared, and its subcomponents. Every pointer to a node
// shares the ownership of the whole tree, in which nodes are made and never removed.
//
// Thread-safety: yes, by one lock for the tree. Allocates: yes. Blocks: for that lock, which is held no longer than it
// takes to walk the tree.
class ComponentNode {
 public:
  // The root of a new tree.
  [[nodiscard]] static std::shared_ptr<ComponentNode> make_root();

  // The component `path` below `node`, made level by level where it does not exist. On an error nothing is made.
  [[nodiscard]] static std::expected<std::shared_ptr<ComponentNode>, ComponentNameError> get_or_create(
      const std::shared_ptr<ComponentNode>& node, std::string_view path);

  [[nodiscard]] static std::shared_ptr<ComponentNode> root_of(const std::shared_ptr<ComponentNode>& node) noexcept;

  [[nodiscard]] bool is_root() const noexcept { return full_name_.empty(); }
  // `root` for the root.
  [[nodiscard]] std::string_view full_name() const noexcept;

  void add_minimum(UsageExpr expr);
  void add_firm(UsageExpr expr);
  // Forgets what this node and all below it declared.
  void reset();
  // What this node and all below it declared, at one moment.
  [[nodiscard]] ComponentBounds bounds() const;

  ComponentNode(const ComponentNode&) = delete;
  ComponentNode& operator=(const ComponentNode&) = delete;

 private:
  struct Tree;

  ComponentNode(Tree& tree, std::string full_name) noexcept;

  ComponentNode& child(std::string_view name);
  void reset_locked() noexcept;
  [[nodiscard]] ComponentBounds bounds_locked() const;

  Tree& tree_;
  const std::string full_name_;  // empty for the root
  // From here on guarded by the tree's lock.
  std::vector<UsageExpr> minimum_;
  std::vector<UsageExpr> firm_;
  std::map<std::string, std::unique_ptr<ComponentNode>, std::less<>> children_;
};

}  // namespace bursar
