#include <bursar/report/resource_json.h>

#include "report/usage_by_name.h"

#include <bursar/base/utf8.h>

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
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

// What part of a core each group has used since an earlier report. Without one nothing is known.
class CpuShares {
 public:
  explicit CpuShares(const EarlierReport* earlier) : earlier_(earlier) {
    if (earlier_ != nullptr) {
      before_ = report_detail::usage_of(earlier_->report);
    }
  }

  [[nodiscard]] std::optional<double> of(std::string_view name, const ResourceStatsSnapshot& usage) const {
    return since(report_detail::usage_before(before_, name).cpu_time_nanos, usage.cpu_time_nanos);
  }
  [[nodiscard]] std::optional<double> of_process(const ResourceReport& report) const {
    if (earlier_ == nullptr || !report.process.cpu_time_nanos || !earlier_->report.process.cpu_time_nanos) {
      return std::nullopt;
    }
    return since(*earlier_->report.process.cpu_time_nanos, *report.process.cpu_time_nanos);
  }
  [[nodiscard]] std::optional<double> window_seconds() const {
    return earlier_ == nullptr ? std::nullopt : std::optional(std::chrono::duration<double>(earlier_->elapsed).count());
  }

 private:
  // A group that took an earlier one's name may have used less.
  [[nodiscard]] std::optional<double> since(std::uint64_t before_nanos, std::uint64_t now_nanos) const {
    if (earlier_ == nullptr || earlier_->elapsed.count() <= 0) {
      return std::nullopt;
    }
    const std::uint64_t nanos = now_nanos > before_nanos ? now_nanos - before_nanos : 0;
    return static_cast<double>(nanos) / static_cast<double>(earlier_->elapsed.count());
  }

  const EarlierReport* earlier_;
  report_detail::UsageByName before_;
};

Json breach_json(const ResourceReport& report, const std::string& name) {
  const auto found = report.bound_standings.find(name);
  if (found == report.bound_standings.end()) {
    return nullptr;
  }
  const BoundStanding& standing = found->second;
  return {{"count", standing.breaches},
          {"now", standing.in_breach},
          {"worst_live_bytes", standing.breaches == 0 ? Json(nullptr) : Json(standing.worst_live_bytes)}};
}

// The component and all below; `total_share` is raised by what they have used.
Json component_json(const ResourceReport& report, const ComponentSnapshot& component, const CpuShares& shares,
                    std::optional<double>& total_share) {
  Json own{{"minimum_required_bytes", component.minimum_required_bytes},
           {"firm_limit_bytes", component.firm_limit_bytes},
           {"limit_bytes", component.limit_bytes}};
  add_figures(own, component.usage);
  const auto own_share = component.usage ? shares.of(component.full_name, *component.usage) : std::nullopt;
  own["cpu_share"] = or_null(own_share);
  own["peak_live_bytes"] = or_null(component.peak_live_bytes);
  own["entries"] = or_null(component.entries);
  own["bound_breaches"] = breach_json(report, component.full_name);
  Json total{{"minimum_required_bytes", component.total_minimum_required_bytes},
             {"firm_limit_bytes", component.total_firm_limit_bytes}};
  add_figures(total, component.total_usage);
  std::optional<double> share = own_share;
  Json subcomponents = Json::array();
  for (const ComponentSnapshot& subcomponent : component.subcomponents) {
    subcomponents.push_back(component_json(report, subcomponent, shares, share));
  }
  total["cpu_share"] = or_null(share);
  if (share) {
    total_share = total_share.value_or(0) + *share;
  }
  return {{"name", to_valid_utf8(component.name)},
          {"full_name", to_valid_utf8(component.full_name)},
          {"own", std::move(own)},
          {"total", std::move(total)},
          {"subcomponents", std::move(subcomponents)}};
}

Json groups_json(const std::vector<UnclaimedGroup>& groups, const CpuShares& shares) {
  Json json = Json::array();
  for (const UnclaimedGroup& group : groups) {
    Json entry{{"full_name", to_valid_utf8(group.name)}};
    add_figures(entry, group.usage);
    entry["cpu_share"] = or_null(shares.of(group.name, group.usage));
    entry["peak_live_bytes"] = group.peak_live_bytes;
    entry["entries"] = group.entries;
    json.push_back(std::move(entry));
  }
  return json;
}

Json event_json(const LimiterReading::Event& told, std::chrono::system_clock::time_point read_at) {
  const LimiterEvent& event = told.event;
  return {{"sequence", event.sequence},
          {"time", std::chrono::duration<double>(read_at.time_since_epoch() - told.age).count()},
          {"kind", to_string(event.kind)},
          {"before", to_string(event.before)},
          {"state", to_string(event.state)},
          {"usage_bytes", or_null(event.usage_bytes)},
          {"limit_bytes", event.limit_bytes},
          {"backoff_seconds", std::chrono::duration<double>(event.backoff).count()},
          {"freed_bytes", event.freed_bytes},
          {"message", to_valid_utf8(event.message)}};
}

Json limiter_json(const ResourceReport& report) {
  const std::optional<LimiterReading>& limiter = report.limiter;
  if (!limiter) {
    return nullptr;
  }
  Json events = Json::array();
  for (const LimiterReading::Event& event : limiter->events) {
    events.push_back(event_json(event, report.time));
  }
  return {{"mode", to_string(limiter->mode)},
          {"state", to_string(limiter->state)},
          {"sheds", limiter->sheds},
          {"backoff_seconds", std::chrono::duration<double>(limiter->backoff).count()},
          {"usage_bytes", or_null(limiter->usage_bytes)},
          {"effective_limit_bytes", or_null(limiter->effective_limit_bytes)},
          {"waits", limiter->waits},
          {"failed_readings", limiter->failed_readings},
          {"looks", limiter->looks},
          {"events", std::move(events)}};
}

Json grant_json(const std::optional<MemoryGrant>& grant) {
  if (!grant) {
    return nullptr;
  }
  return {{"initial_limit_bytes", grant->initial_limit_bytes()},
          {"slop_factor", grant->slop_factor()},
          {"effective_limit_bytes", grant->effective_limit_bytes()}};
}

Json cpu_json(const ResourceReport& report, const CpuShares& shares) {
  const auto& process = report.process.cpu_time_nanos;
  const auto unattributed = report.unattributed_cpu_nanos();
  return {{"process_seconds", process ? Json(seconds(*process)) : Json(nullptr)},
          {"attributed_seconds", seconds(report.total_usage().cpu_time_nanos)},
          {"unattributed_seconds", unattributed ? Json(seconds(*unattributed)) : Json(nullptr)},
          {"process_share", or_null(shares.of_process(report))},
          {"share_window_seconds", or_null(shares.window_seconds())},
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

std::string resources_json(const ResourceReport& report, const std::optional<AllocatorReading>& allocator,
                           const EarlierReport* earlier) {
  const CpuShares shares(earlier);
  Json json;
  json["time"] = std::chrono::duration<double>(report.time.time_since_epoch()).count();
  json["tracking"] = {{"allocator_installed", report.bookkeeping.allocator_installed},
                      {"foreign_blocks", report.bookkeeping.foreign_blocks},
                      {"stale_tokens", report.bookkeeping.stale_tokens},
                      {"rejected_groups", report.bookkeeping.rejected_groups}};
  json["limiter"] = limiter_json(report);
  json["grant"] = grant_json(report.grant);
  json["cpu"] = cpu_json(report, shares);
  json["ladder"] = ladder_json(report, allocator);
  std::optional<double> share;
  json["root"] = component_json(report, report.groups.root, shares, share);
  json["other_groups"] = groups_json(report.groups.other_groups, shares);
  Json retired = Json::object();
  add_figures(retired, report.retired);
  json["retired"] = std::move(retired);
  return json.dump();
}

}  // namespace bursar
