#pragma once

#include "report/terminal_text.h"

#include <cstddef>
#include <string>
#include <vector>

namespace bursar::report_detail {

// How a tree of names becomes rows.
enum class TreeShape : bool {
  Full,    // one row for each node
  Folded,  // a node that has nothing to show, but one child only, shares the child's row: "transforms.aggregate"
};

// A node's row; a heading has nothing to show but its name.
template <typename Node>
struct TreeRow {
  std::string label;
  const Node* node;
  bool heading;
};

// The nodes below `parent`, depth first. `children(node)` are the nodes below another, `name(node)` is the last segment
// of its name, `has_figures(node)` whether there is anything to show.
template <typename Children, typename Name, typename HasFigures>
class TreeRows {
 public:
  TreeRows(TreeShape shape, Children children, Name name, HasFigures has_figures)
      : shape_(shape), children_(children), name_(name), has_figures_(has_figures) {}

  template <typename Node>
  [[nodiscard]] std::vector<TreeRow<Node>> below(const Node& parent) const {
    std::vector<TreeRow<Node>> rows;
    append_below(parent, 0, rows);
    return rows;
  }

 private:
  template <typename Node>
  void append_below(const Node& parent, std::size_t depth, std::vector<TreeRow<Node>>& rows) const {
    for (const Node& child : children_(parent)) {
      const Node* node = &child;
      std::string label = std::string(2 * depth, ' ') + terminal_text(name_(child));
      while (shape_ == TreeShape::Folded && !has_figures_(*node) && children_(*node).size() == 1) {
        node = &children_(*node).front();
        label += '.' + terminal_text(name_(*node));
      }
      rows.push_back({std::move(label), node, !has_figures_(*node)});
      append_below(*node, depth + 1, rows);
    }
  }

  TreeShape shape_;
  Children children_;
  Name name_;
  HasFigures has_figures_;
};

}  // namespace bursar::report_detail
