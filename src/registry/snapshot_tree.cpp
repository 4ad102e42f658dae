#include "registry/snapshot_tree.h"

#include <bursar/groups/resource_group_registry.h>

#include <optional>
#include <string_view>
#include <utility>

namespace bursar {
namespace {

std::optional<GroupFigures> take_figures(GroupUsage& groups, std::string_view name) {
  const auto found = groups.find(name);
  if (found == groups.end()) return std::nullopt;
  const GroupFigures figures = found->second;
  groups.erase(found);
  return figures;
}

// `path` is the full name, empty for the root. What a component claims is taken out of `groups`.
ComponentSnapshot snapshot_of(const std::string& name, const std::string& path, const ComponentBounds& bounds,
                              GroupUsage& groups) {
  ComponentSnapshot result;
  result.name = name;
  result.full_name = path.empty() ? name : path;
  result.minimum_required_bytes = bounds.own_minimum_required_bytes();
  result.firm_limit_bytes = bounds.own_firm_limit_bytes();
  result.limit_bytes = bounds.own_limit_bytes();
  result.total_minimum_required_bytes = bounds.total_minimum_required_bytes();
  result.total_firm_limit_bytes = bounds.total_firm_limit_bytes();
  if (const std::optional<GroupFigures> figures = take_figures(groups, result.full_name); figures.has_value()) {
    result.usage = figures->usage;
    result.peak_live_bytes = figures->peak_live_bytes;
    result.entries = figures->entries;
  }
  result.total_usage = result.usage.value_or(ResourceStatsSnapshot::empty());
  for (const auto& [child_name, child_bounds] : bounds.subcomponents()) {
    const std::string child_path = path.empty() ? child_name : path + '.' + child_name;
    result.subcomponents.push_back(snapshot_of(child_name, child_path, child_bounds, groups));
    result.total_usage.merge(result.subcomponents.back().total_usage);
  }
  return result;
}

}  // namespace

GroupUsage group_usage() {
  GroupUsage groups;
  ResourceGroupRegistry::global().visit_resource_groups([&groups](std::string_view name, const ResourceStats& stats) {
    // Added up: a retired group that still holds something keeps its name beside a new group of that name.
    GroupFigures& figures = groups[std::string(name)];
    figures.usage.merge(stats.totals());
    figures.peak_live_bytes += stats.peak_live_bytes();
    figures.entries += stats.entries();
  });
  return groups;
}

RegistrySnapshot join(const ComponentBounds& bounds, GroupUsage groups) {
  RegistrySnapshot result;
  result.root = snapshot_of("root", "", bounds, groups);
  for (const auto& [name, figures] : groups) {
    result.other_groups.push_back(
        {.name = name, .usage = figures.usage, .peak_live_bytes = figures.peak_live_bytes, .entries = figures.entries});
  }
  return result;
}

}  // namespace bursar
