#pragma once

#include <bursar/groups/resource_stats.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace bursar {

// What is known of a group beside its usage.
//
// Thread-safety: a plain value. Allocates: no. Blocks: no.
struct GroupFigures {
  ResourceStatsSnapshot usage;
  std::uint64_t peak_live_bytes = 0;
  std::uint64_t entries = 0;  // how often it was entered
};

// A component with what it declared and what it used, and the same of everything below it.
//
// Thread-safety: a plain value. Allocates: its parts. Blocks: no.
struct ComponentSnapshot {
  // The last segment of `full_name`; `root` for the root.
  std::string name;
  std::string full_name;

  // The component itself: its minimum, its firm part, and both together. SIZE_MAX where a sum overflows.
  std::size_t minimum_required_bytes = 0;
  std::size_t firm_limit_bytes = 0;
  std::size_t limit_bytes = 0;
  // With everything below it; the total firm limit includes the minimum.
  std::size_t total_minimum_required_bytes = 0;
  std::size_t total_firm_limit_bytes = 0;

  // The figures of the group of this name; none where there is no such group.
  std::optional<ResourceStatsSnapshot> usage;
  std::optional<std::uint64_t> peak_live_bytes;
  std::optional<std::uint64_t> entries;
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
  std::uint64_t peak_live_bytes = 0;
  std::uint64_t entries = 0;
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
