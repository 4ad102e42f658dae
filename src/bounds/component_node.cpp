#include "bounds/component_node.h"

#include <bursar/base/in_quotes.h>

#include <cstddef>
#include <optional>
#include <utility>

namespace bursar {
namespace {

constexpr std::string_view kRootName = "root";

ComponentNameError name_error(ComponentNameError::Reason reason, std::string_view name, std::string_view problem) {
  return {.reason = reason, .message = "the component name " + in_quotes(name) + ' ' + std::string(problem)};
}

// What is wrong with the name `path` of a component below `parent`, which is empty for the root.
std::optional<ComponentNameError> check_path(std::string_view parent, std::string_view path) {
  using enum ComponentNameError::Reason;
  if (path.empty()) {
    return name_error(EmptyName, path, "is empty: write segments with dots between them, such as topology.sources.udp");
  }
  const std::size_t length = parent.empty() ? path.size() : parent.size() + 1 + path.size();
  if (length > kMaxComponentNameLength) {
    return name_error(TooLong, path,
                      "is too long: with all components above it it has " + std::to_string(length) +
                          " bytes, and may have " + std::to_string(kMaxComponentNameLength));
  }
  if (path.front() == '.' || path.back() == '.' || path.find("..") != std::string_view::npos) {
    return name_error(EmptySegment, path,
                      "has an empty segment: write single dots between segments, such as topology.sources.udp");
  }
  if (parent.empty() && path.substr(0, path.find('.')) == kRootName) {
    return name_error(ReservedName, path,
                      "is taken: \"root\" names the root of the tree and what no other component is charged for; name "
                      "the top-level component differently");
  }
  return std::nullopt;
}

}  // namespace

struct ComponentNode::Tree {
  std::mutex mutex;
  ComponentNode root{*this, ""};
};

ComponentNode::ComponentNode(Tree& tree, std::string full_name) noexcept
    : tree_(tree), full_name_(std::move(full_name)) {}

std::shared_ptr<ComponentNode> ComponentNode::make_root() {
  auto tree = std::make_shared<Tree>();
  ComponentNode* root = &tree->root;
  return {std::move(tree), root};
}

std::shared_ptr<ComponentNode> ComponentNode::root_of(const std::shared_ptr<ComponentNode>& node) noexcept {
  return {node, &node->tree_.root};
}

std::string_view ComponentNode::full_name() const noexcept {
  return is_root() ? kRootName : full_name_;
}

std::expected<std::shared_ptr<ComponentNode>, ComponentNameError> ComponentNode::get_or_create(
    const std::shared_ptr<ComponentNode>& node, std::string_view path) {
  if (auto error = check_path(node->full_name_, path)) return std::unexpected(*std::move(error));

  const std::lock_guard lock(node->tree_.mutex);
  ComponentNode* current = node.get();
  while (true) {
    const std::size_t dot = path.find('.');
    current = &current->child(path.substr(0, dot));
    if (dot == std::string_view::npos) return std::shared_ptr<ComponentNode>(node, current);
    path.remove_prefix(dot + 1);
  }
}

ComponentNode& ComponentNode::child(std::string_view name) {
  const auto existing = children_.find(name);
  if (existing != children_.end()) return *existing->second;
  std::string full_name = is_root() ? std::string(name) : full_name_ + '.' + std::string(name);
  std::unique_ptr<ComponentNode> made(new ComponentNode(tree_, std::move(full_name)));
  return *children_.emplace(name, std::move(made)).first->second;
}

void ComponentNode::add_minimum(UsageExpr expr) {
  const std::lock_guard lock(tree_.mutex);
  minimum_.push_back(std::move(expr));
}

void ComponentNode::add_firm(UsageExpr expr) {
  const std::lock_guard lock(tree_.mutex);
  firm_.push_back(std::move(expr));
}

void ComponentNode::reset() {
  const std::lock_guard lock(tree_.mutex);
  reset_locked();
}

void ComponentNode::reset_locked() noexcept {
  minimum_.clear();
  firm_.clear();
  for (const auto& [name, child] : children_) child->reset_locked();
}

ComponentBounds ComponentNode::bounds() const {
  const std::lock_guard lock(tree_.mutex);
  return bounds_locked();
}

ComponentBounds ComponentNode::bounds_locked() const {
  std::vector<ComponentBounds::Subcomponent> subcomponents;
  subcomponents.reserve(children_.size());
  for (const auto& [name, child] : children_) subcomponents.push_back({.name = name, .bounds = child->bounds_locked()});
  return {minimum_, firm_, std::move(subcomponents)};
}

}  // namespace bursar
