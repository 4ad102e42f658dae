#pragma once

#include <bursar/groups/resource_stats.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace bursar {

// A component with what it declared and what it used, and the same of everything below it.
//
// Thread-safety: a plain value. Allocates: its parts. Blocks: no.
struct ComponentSnapshot {
  // The last segment of `full_name`; `root` for the root.
  std::string name;
  std::string full_name;

  // The component itself. The firm limit includes the minimum. SIZE_MAX where a sum overflows.
  std::size_t minimum_required_bytes = 0;
  std::size_t firm_limit_bytes = 0;
  // With everything below it.
  std::size_t total_minimum_required_bytes = 0;
  std::size_t total_firm_limit_bytes = 0;

  // The figures of the group of this name; none where there is no such group.
  std::optional<ResourceStatsSnapshot> usage;
  // `usage` and that of everything below.
  ResourceStatsSnapshot total_usage;

  // The direct ones, sorted by name.
  std::vector<ComponentSnapshot> subcomponents;
};

// A resource group that no component of the registry declares.
//
// Thread-safety: a plain value. Allocates: its string. Blocks: no.
struct UnclaimedGroup {
  std::string name;
  ResourceStatsSnapshot usage;
};

// The whole tree of a registry, joined with one visit of the resource groups: every group is counted exactly once, in
// `root` or in `other_groups`.
//
// Thread-safety: a plain value. Allocates: its parts. Blocks: no.
struct RegistrySnapshot {
  ComponentSnapshot root;
  // Sorted by name.
  std::vector<UnclaimedGroup> other_groups;
};

}  // namespace bursar
