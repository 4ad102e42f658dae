#pragma once

#include <bursar/bounds/component_bounds.h>
#include <bursar/groups/resource_stats.h>
#include <bursar/registry/registry_snapshot.h>

#include <functional>
#include <map>
#include <string>

namespace bursar {

// The figures of every group, by name.
using GroupUsage = std::map<std::string, GroupFigures, std::less<>>;

// The figures of the groups of the process now, from one visit.
[[nodiscard]] GroupUsage group_usage();

// Components with what their groups used, and the groups that are no component's.
//
// Thread-safety: yes. Allocates: the answer. Blocks: no.
[[nodiscard]] RegistrySnapshot join(const ComponentBounds& bounds, GroupUsage groups);

}  // namespace bursar
