#include <bursar/report/resource_report.h>

#include <bursar/groups/resource_group_registry.h>

#include <algorithm>
#include <utility>

namespace bursar {
namespace {

std::uint64_t at_least_zero(std::uint64_t all, std::uint64_t part) noexcept {
  return all > part ? all - part : 0;
}

}  // namespace

LimiterReading LimiterReading::of(const MemoryLimiter& limiter) {
  LimiterReading reading{.mode = limiter.mode(),
                         .state = limiter.state(),
                         .sheds = limiter.should_shed(),
                         .backoff = limiter.active_backoff(),
                         .usage_bytes = limiter.usage_bytes(),
                         .effective_limit_bytes = limiter.effective_limit_bytes(),
                         .waits = limiter.waits_total(),
                         .failed_readings = limiter.failed_readings_total(),
                         .looks = limiter.looks_total()};
  const auto now = monotonic_clock().now();
  for (LimiterEvent& event : limiter.events()) {
    const auto age = std::max<std::chrono::nanoseconds>(now - event.time, {});
    reading.events.push_back({.event = std::move(event), .age = age});
  }
  return reading;
}

ResourceStatsSnapshot ResourceReport::total_usage() const noexcept {
  ResourceStatsSnapshot total = groups.root.total_usage;
  for (const UnclaimedGroup& group : groups.other_groups) {
    total.merge(group.usage);
  }
  return total.merge(retired);
}

std::optional<std::uint64_t> ResourceReport::unattributed_bytes() const noexcept {
  if (!process.resident_bytes) {
    return std::nullopt;
  }
  return at_least_zero(*process.resident_bytes, total_usage().live_bytes());
}

std::optional<std::uint64_t> ResourceReport::unattributed_cpu_nanos() const noexcept {
  if (!process.cpu_time_nanos) {
    return std::nullopt;
  }
  return at_least_zero(*process.cpu_time_nanos, total_usage().cpu_time_nanos);
}

ResourceReport take_resource_report(const ComponentRegistryHandle& components, const ProcessSensor& process,
                                    std::optional<MemoryGrant> grant, const MemoryLimiter* limiter,
                                    BoundWatch* bound_watch) {
  const ResourceGroupRegistry& groups = ResourceGroupRegistry::global();
  if (bound_watch != nullptr) bound_watch->check();
  ResourceReport report;
  report.time = std::chrono::system_clock::now();
  report.groups = components.snapshot();
  report.retired = groups.retired_totals();
  report.bookkeeping = {.allocator_installed = ResourceGroupRegistry::allocator_installed(),
                        .foreign_blocks = groups.foreign_blocks(),
                        .stale_tokens = groups.stale_tokens(),
                        .rejected_groups = groups.rejected_groups(),
                        .cpu_clock = cpu::clock_choice()};
  report.process = process.read();
  report.grant = grant;
  if (limiter != nullptr) {
    report.limiter = LimiterReading::of(*limiter);
  }
  if (bound_watch != nullptr) {
    report.bound_standings = bound_watch->standings();
  }
  return report;
}

ResourceReport take_resource_report(const ResourceAccounting& accounting, const ProcessSensor& process) {
  return take_resource_report(accounting.components(), process, accounting.grant(), &accounting.limiter(),
                              &accounting.bound_watch());
}

}  // namespace bursar
