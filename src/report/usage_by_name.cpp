#include "report/usage_by_name.h"

namespace bursar::report_detail {
namespace {

void collect(const ComponentSnapshot& component, UsageByName& usage) {
  if (component.usage) {
    usage.emplace(component.full_name, &*component.usage);
  }
  for (const ComponentSnapshot& subcomponent : component.subcomponents) {
    collect(subcomponent, usage);
  }
}

}  // namespace

UsageByName usage_of(const ResourceReport& report) {
  UsageByName usage;
  collect(report.groups.root, usage);
  for (const UnclaimedGroup& group : report.groups.other_groups) {
    usage.emplace(group.name, &group.usage);
  }
  return usage;
}

ResourceStatsSnapshot usage_before(const UsageByName& usage, std::string_view name) {
  const auto found = usage.find(name);
  return found == usage.end() ? ResourceStatsSnapshot::empty() : *found->second;
}

}  // namespace bursar::report_detail
