#include <bursar/report/resource_json.h>

#include <bursar/base/utf8.h>

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdint>
#include <utility>

namespace bursar {
namespace {

using Json = nlohmann::ordered_json;

double seconds(std::uint64_t nanos) noexcept {
  return static_cast<double>(nanos) / 1e9;
}

template <typename Value>
Json or_null(const std::optional<Value>& value) {
  return value ? Json(*value) : Json(nullptr);
}

// `left` less `right`, where both are known.
Json difference(const Json& left, const Json& right) {
  if (left.is_null() || right.is_null()) {
    return nullptr;
  }
  return static_cast<std::int64_t>(left.get<std::uint64_t>()) - static_cast<std::int64_t>(right.get<std::uint64_t>());
}

void add_figures(Json& json, const std::optional<ResourceStatsSnapshot>& usage) {
  const auto figure = [&](auto read) { return usage ? Json(read(*usage)) : Json(nullptr); };
  json["live_bytes"] = figure([](const auto& known) { return known.live_bytes(); });
  json["live_objects"] = figure([](const auto& known) { return known.live_objects(); });
  json["allocated_bytes"] = figure([](const auto& known) { return known.allocated_bytes; });
  json["allocated_objects"] = figure([](const auto& known) { return known.allocated_objects; });
  json["deallocated_bytes"] = figure([](const auto& known) { return known.deallocated_bytes; });
  json["deallocated_objects"] = figure([](const auto& known) { return known.deallocated_objects; });
  json["cpu_seconds"] = figure([](const auto& known) { return seconds(known.cpu_time_nanos); });
}

Json component_json(const ComponentSnapshot& component) {
  Json own{{"minimum_required_bytes", component.minimum_required_bytes},
           {"firm_limit_bytes", component.firm_limit_bytes},
           {"limit_bytes", component.limit_bytes}};
  add_figures(own, component.usage);
  own["peak_live_bytes"] = or_null(component.peak_live_bytes);
  own["entries"] = or_null(component.entries);
  Json total{{"minimum_required_bytes", component.total_minimum_required_bytes},
             {"firm_limit_bytes", component.total_firm_limit_bytes}};
  add_figures(total, component.total_usage);
  Json subcomponents = Json::array();
  for (const ComponentSnapshot& subcomponent : component.subcomponents) {
    subcomponents.push_back(component_json(subcomponent));
  }
  return {{"name", to_valid_utf8(component.name)},
          {"full_name", to_valid_utf8(component.full_name)},
          {"own", std::move(own)},
          {"total", std::move(total)},
          {"subcomponents", std::move(subcomponents)}};
}

Json groups_json(const std::vector<UnclaimedGroup>& groups) {
  Json json = Json::array();
  for (const UnclaimedGroup& group : groups) {
    Json entry{{"full_name", to_valid_utf8(group.name)}};
    add_figures(entry, group.usage);
    entry["peak_live_bytes"] = group.peak_live_bytes;
    entry["entries"] = group.entries;
    json.push_back(std::move(entry));
  }
  return json;
}

Json limiter_json(const std::optional<LimiterReading>& limiter) {
  if (!limiter) {
    return nullptr;
  }
  return {{"mode", to_string(limiter->mode)},
          {"state", to_string(limiter->state)},
          {"sheds", limiter->sheds},
          {"backoff_seconds", std::chrono::duration<double>(limiter->backoff).count()},
          {"usage_bytes", or_null(limiter->usage_bytes)},
          {"effective_limit_bytes", or_null(limiter->effective_limit_bytes)},
          {"waits", limiter->waits},
          {"failed_readings", limiter->failed_readings}};
}

Json grant_json(const std::optional<MemoryGrant>& grant) {
  if (!grant) {
    return nullptr;
  }
  return {{"initial_limit_bytes", grant->initial_limit_bytes()},
          {"slop_factor", grant->slop_factor()},
          {"effective_limit_bytes", grant->effective_limit_bytes()}};
}

Json cpu_json(const ResourceReport& report) {
  const auto& process = report.process.cpu_time_nanos;
  const auto unattributed = report.unattributed_cpu_nanos();
  return {{"process_seconds", process ? Json(seconds(*process)) : Json(nullptr)},
          {"attributed_seconds", seconds(report.total_usage().cpu_time_nanos)},
          {"unattributed_seconds", unattributed ? Json(seconds(*unattributed)) : Json(nullptr)},
          {"clock", cpu::name_of(report.bookkeeping.cpu_clock.kind)},
          {"clock_reason", report.bookkeeping.cpu_clock.reason}};
}

Json ladder_json(const ResourceReport& report, const std::optional<AllocatorReading>& allocator) {
  const std::uint64_t live = report.total_usage().live_bytes();
  const Json in_use = allocator ? Json(allocator->in_use_bytes) : Json(nullptr);
  const Json footprint = allocator ? Json(allocator->footprint_bytes) : Json(nullptr);
  const Json resident = or_null(report.process.resident_bytes);
  const auto& cgroup = report.process.cgroup;
  const auto& grant = report.grant;
  return {{"declared",
           {{"minimum_required_bytes", report.groups.root.total_minimum_required_bytes},
            {"firm_limit_bytes", report.groups.root.total_firm_limit_bytes}}},
          {"live_bytes", live},
          {"allocator", {{"in_use_bytes", in_use}, {"footprint_bytes", footprint}}},
          {"resident_bytes", resident},
          {"cgroup",
           {{"working_set_bytes", cgroup ? Json(cgroup->working_set_bytes) : Json(nullptr)},
            {"usage_bytes", cgroup ? Json(cgroup->usage_bytes) : Json(nullptr)}}},
          {"limit",
           {{"cgroup_bytes", or_null(report.process.cgroup_limit_bytes)},
            {"granted_bytes", grant ? Json(grant->initial_limit_bytes()) : Json(nullptr)},
            {"effective_bytes", grant ? Json(grant->effective_limit_bytes()) : Json(nullptr)}}},
          {"unexplained",
           {{"allocator_overhead_bytes", difference(in_use, live)},
            {"allocator_unused_bytes", difference(footprint, in_use)},
            {"beyond_allocator_bytes", difference(resident, footprint)},
            {"unattributed_bytes", or_null(report.unattributed_bytes())}}}};
}

}  // namespace

std::string resources_json(const ResourceReport& report, const std::optional<AllocatorReading>& allocator) {
  Json json;
  json["time"] = std::chrono::duration<double>(report.time.time_since_epoch()).count();
  json["tracking"] = {{"allocator_installed", report.bookkeeping.allocator_installed},
                      {"foreign_blocks", report.bookkeeping.foreign_blocks},
                      {"stale_tokens", report.bookkeeping.stale_tokens},
                      {"rejected_groups", report.bookkeeping.rejected_groups}};
  json["limiter"] = limiter_json(report.limiter);
  json["grant"] = grant_json(report.grant);
  json["cpu"] = cpu_json(report);
  json["ladder"] = ladder_json(report, allocator);
  json["root"] = component_json(report.groups.root);
  json["other_groups"] = groups_json(report.groups.other_groups);
  Json retired = Json::object();
  add_figures(retired, report.retired);
  json["retired"] = std::move(retired);
  return json.dump();
}

}  // namespace bursar
