#pragma once

#include <bursar/groups/resource_group_registry.h>
#include <bursar/groups/resource_group_token.h>
#include <bursar/groups/resource_stats.h>

#include <atomic>
#include <cstddef>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "groups/group_table.h"

namespace bursar {

inline void PrintTo(const ResourceStatsSnapshot& figures, std::ostream* out) {
  *out << "{allocated " << figures.allocated_bytes << " B in " << figures.allocated_objects << ", deallocated "
       << figures.deallocated_bytes << " B in " << figures.deallocated_objects << ", cpu " << figures.cpu_time_nanos
       << " ns}";
}

namespace testing {

// A name that no other test of the process uses.
inline std::string fresh_name(std::string_view stem = "group") {
  static std::atomic<unsigned> count{0};
  return "test." + std::string(stem) + "." + std::to_string(++count);
}

inline ResourceGroupToken fresh_group(std::string_view stem = "group") {
  return ResourceGroupRegistry::global().register_resource_group(fresh_name(stem));
}

// What the registry shows, by name.
inline std::map<std::string, ResourceStatsSnapshot> visited_figures() {
  std::map<std::string, ResourceStatsSnapshot> figures;
  ResourceGroupRegistry::global().visit_resource_groups(
      [&](std::string_view name, const ResourceStats& stats) { figures[std::string(name)] = stats.totals(); });
  return figures;
}

inline std::optional<ResourceStatsSnapshot> figures_of(std::string_view wanted) {
  std::optional<ResourceStatsSnapshot> found;
  ResourceGroupRegistry::global().visit_resource_groups([&](std::string_view name, const ResourceStats& stats) {
    if (name == wanted) found = stats.totals();
  });
  return found;
}

inline ResourceStatsSnapshot without_cpu(ResourceStatsSnapshot figures) {
  figures.cpu_time_nanos = 0;
  return figures;
}

inline ResourceStatsSnapshot since(const ResourceStatsSnapshot& now, const ResourceStatsSnapshot& before) {
  return ResourceStats(now).snapshot_delta(before);
}

// Retires and registers groups until one has the number of `former`, which is retired, or until every number that is
// free has been taken after the registry has looked through the retired ones: then it answers nothing. `name` is the
// last group's.
inline std::optional<ResourceGroupToken> next_with_the_number_of(ResourceGroupToken former, std::string& name) {
  constexpr std::size_t kMoreThanAnyTestLeavesRetired = 1'000;
  ResourceGroupRegistry& registry = ResourceGroupRegistry::global();
  const auto registered = [&] {
    name = fresh_name("heir");
    return registry.register_resource_group(name);
  };
  for (std::size_t i = 0; i < kMoreThanAnyTestLeavesRetired; ++i) {
    const ResourceGroupToken next = registered();
    if (next.index() == former.index()) return next;
    registry.retire(next);
  }
  const std::size_t first_unused = groups::group_table().first_unused();
  std::optional<ResourceGroupToken> heir;
  std::vector<ResourceGroupToken> others;
  while (!heir.has_value() && groups::group_table().first_unused() == first_unused) {
    const ResourceGroupToken next = registered();
    if (next.index() == former.index()) {
      heir = next;
    } else {
      others.push_back(next);
    }
  }
  for (const ResourceGroupToken other : others) registry.retire(other);
  return heir;
}

inline bool number_is_used_again(ResourceGroupToken former) {
  std::string name;
  const std::optional<ResourceGroupToken> next = next_with_the_number_of(former, name);
  if (next.has_value()) ResourceGroupRegistry::global().retire(*next);
  return next.has_value();
}

}  // namespace testing
}  // namespace bursar
