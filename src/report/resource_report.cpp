#include <bursar/report/resource_report.h>

#include <bursar/groups/resource_group_registry.h>

namespace bursar {
namespace {

std::uint64_t at_least_zero(std::uint64_t all, std::uint64_t part) noexcept {
  return all > part ? all - part : 0;
}

}  // namespace

LimiterReading LimiterReading::of(const MemoryLimiter& limiter) noexcept {
  return {.mode = limiter.mode(),
          .state = limiter.state(),
          .sheds = limiter.should_shed(),
          .backoff = limiter.active_backoff(),
          .usage_bytes = limiter.usage_bytes(),
          .effective_limit_bytes = limiter.effective_limit_bytes(),
          .waits = limiter.waits_total(),
          .failed_readings = limiter.failed_readings_total()};
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
                                    std::optional<MemoryGrant> grant, const MemoryLimiter* limiter) {
  const ResourceGroupRegistry& groups = ResourceGroupRegistry::global();
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
  return report;
}

}  // namespace bursar
