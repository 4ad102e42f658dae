#include <bursar/report/bounds_tree.h>

#include "report/figure_text.h"
#include "report/text_table.h"
#include "report/tree_rows.h"

#include <bursar/base/bytes.h>

namespace bursar {
namespace {

using namespace report_detail;
using Component = ComponentBounds::Subcomponent;

bool declares(const ComponentBounds& bounds) {
  return !bounds.minimum_exprs().empty() || !bounds.firm_exprs().empty();
}

std::string share_of(std::size_t firm_limit, const std::optional<MemoryGrant>& grant) {
  if (!grant || grant->effective_limit_bytes() == 0) {
    return "-";
  }
  return percent(static_cast<double>(firm_limit) / static_cast<double>(grant->effective_limit_bytes()));
}

TextTable table_of(const Component& root, const std::optional<MemoryGrant>& grant, TreeShape shape) {
  TextTable table({{"component", 0}, {"minimum", 9}, {"firm", 9}, {"of grant", 8}, {"", 0}});
  const auto add = [&](const std::string& label, std::size_t minimum, std::size_t firm, Style style) {
    table.add(
        {{label, style}, {bound_text(minimum), style}, {bound_text(firm), style}, {share_of(firm, grant), style}});
  };
  const TreeRows rows(
      shape, [](const Component& node) -> const std::vector<Component>& { return node.bounds.subcomponents(); },
      [](const Component& node) -> const std::string& { return node.name; },
      [](const Component& node) { return declares(node.bounds); });
  for (const auto& row : rows.below(root)) {
    if (row.heading) {
      table.add({TextTable::Cell{row.label, Style::Quiet}});
    } else {
      const ComponentBounds& bounds = row.node->bounds;
      add(row.label, bounds.own_minimum_required_bytes(), bounds.own_limit_bytes(), Style::Plain);
    }
  }
  if (declares(root.bounds)) {
    add("root", root.bounds.own_minimum_required_bytes(), root.bounds.own_limit_bytes(), Style::Plain);
  }
  add("total", root.bounds.total_minimum_required_bytes(), root.bounds.total_firm_limit_bytes(), Style::Strong);
  return table;
}

std::string grant_line(const MemoryGrant& grant) {
  std::string line = "granted " + format_bytes(grant.initial_limit_bytes());
  if (grant.slop_factor() > 0.0) {
    line += ", less " + percent(grant.slop_factor()) + " slop: " + format_bytes(grant.effective_limit_bytes());
  }
  return line;
}

}  // namespace

std::vector<std::string> render_bounds_tree(const ComponentBounds& bounds, const std::optional<MemoryGrant>& grant,
                                            const TableOptions& options) {
  const Component root{.name = "root", .bounds = bounds};
  TextTable table = table_of(root, grant, TreeShape::Folded);
  if (table.first_column(options.width) < table.wanted_first_column()) {
    table = table_of(root, grant, TreeShape::Full);
  }
  std::vector<std::string> lines = table.lines(options.width, options.colours);
  if (grant) {
    lines.push_back(styled(fit_into(grant_line(*grant), options.width), Style::Quiet, options.colours));
  }
  return lines;
}

}  // namespace bursar
