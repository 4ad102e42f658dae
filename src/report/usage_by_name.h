#pragma once

#include <bursar/groups/resource_stats.h>
#include <bursar/report/resource_report.h>

#include <map>
#include <string_view>

namespace bursar::report_detail {

// What each group of a report has used, by its full name; REQUIRES: the report outlives it.
//
// Thread-safety: as a map. Allocates: its nodes. Blocks: no.
using UsageByName = std::map<std::string_view, const ResourceStatsSnapshot*>;

[[nodiscard]] UsageByName usage_of(const ResourceReport& report);

// A group that is not there began at zero.
[[nodiscard]] ResourceStatsSnapshot usage_before(const UsageByName& usage, std::string_view name);

}  // namespace bursar::report_detail
