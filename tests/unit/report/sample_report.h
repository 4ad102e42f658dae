#pragma once

#include <bursar/report/resource_report.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace bursar::test {

inline ResourceStatsSnapshot usage(std::uint64_t live_bytes, std::uint64_t live_objects, std::uint64_t cpu_nanos) {
  return {.allocated_bytes = 3 * live_bytes,
          .allocated_objects = 3 * live_objects,
          .deallocated_bytes = 2 * live_bytes,
          .deallocated_objects = 2 * live_objects,
          .cpu_time_nanos = cpu_nanos};
}

// A component whose totals are those of itself and its subcomponents.
inline ComponentSnapshot component(std::string full_name, std::size_t minimum, std::size_t limit,
                                   std::optional<ResourceStatsSnapshot> used,
                                   std::vector<ComponentSnapshot> subcomponents = {}) {
  ComponentSnapshot component;
  component.name = full_name.substr(full_name.rfind('.') + 1);
  component.full_name = std::move(full_name);
  component.minimum_required_bytes = component.total_minimum_required_bytes = minimum;
  component.firm_limit_bytes = limit - minimum;
  component.limit_bytes = component.total_firm_limit_bytes = limit;
  component.usage = used;
  if (used) {
    component.peak_live_bytes = 2 * used->live_bytes();
    component.entries = 2 * used->live_objects();
  }
  component.total_usage = used.value_or(ResourceStatsSnapshot::empty());
  for (const ComponentSnapshot& subcomponent : subcomponents) {
    component.total_minimum_required_bytes += subcomponent.total_minimum_required_bytes;
    component.total_firm_limit_bytes += subcomponent.total_firm_limit_bytes;
    component.total_usage.merge(subcomponent.total_usage);
  }
  component.subcomponents = std::move(subcomponents);
  return component;
}

// A data plane under pressure, with every figure known.
inline ResourceReport sample_report() {
  constexpr std::size_t kKiB = 1024;
  constexpr std::size_t kMiB = 1024 * kKiB;
  ResourceReport report;
  report.time = std::chrono::system_clock::time_point(std::chrono::milliseconds(1'700'000'000'250));
  report.groups.root = component(
      "root", 0, 0, usage(2 * kMiB, 12'345, 300'000'000),
      {component("api", 64 * kKiB, kMiB, usage(70'000, 300, 1'000'000)),
       component(
           "topology", 0, 0, std::nullopt,
           {component("topology.sources", 0, 0, std::nullopt,
                      {component("topology.sources.tcp", 64 * kKiB, kMiB, std::nullopt),
                       component("topology.sources.udp", 512 * kKiB, 4 * kMiB, usage(1'258'291, 1'234, 123'000'000))}),
            component("topology.transforms", 0, 0, std::nullopt,
                      {component("topology.transforms.aggregate", kMiB, 16 * kMiB,
                                 usage(18 * kMiB, 123'456, 512'000'000))})})});
  report.groups.other_groups = {{.name = "plugin", .usage = usage(4'000, 8, 1'000)}};
  report.retired = {.allocated_bytes = 500,
                    .allocated_objects = 5,
                    .deallocated_bytes = 500,
                    .deallocated_objects = 5,
                    .cpu_time_nanos = 9'000};
  report.bookkeeping = {.allocator_installed = true,
                        .foreign_blocks = 0,
                        .stale_tokens = 2,
                        .rejected_groups = 0,
                        .cpu_clock = {.kind = cpu::ClockKind::Fit, .reason = "a reason"}};
  report.process = {.resident_bytes = 32 * kMiB,
                    .cgroup = CgroupReading{.usage_bytes = 50 * kMiB, .working_set_bytes = 40 * kMiB},
                    .cgroup_limit_bytes = 128 * kMiB,
                    .cpu_time_nanos = 1'000'000'000};
  report.grant = MemoryGrant::with_slop_factor(64 * kMiB, 0.25).value();
  report.limiter = LimiterReading{.mode = LimiterMode::On,
                                  .state = LimiterState::Soft,
                                  .sheds = false,
                                  .backoff = std::chrono::microseconds(1500),
                                  .usage_bytes = 32 * kMiB,
                                  .effective_limit_bytes = 48 * kMiB,
                                  .waits = 12'345,
                                  .failed_readings = 1,
                                  .looks = 54'321};
  report.limiter->events.push_back({.event = {.sequence = 7,
                                              .time = {},
                                              .kind = LimiterEventKind::StateChanged,
                                              .before = LimiterState::Normal,
                                              .state = LimiterState::Soft,
                                              .usage_bytes = 46 * kMiB,
                                              .limit_bytes = 48 * kMiB,
                                              .backoff = std::chrono::microseconds(2500),
                                              .message = {}},
                                    .age = std::chrono::milliseconds(250)});
  return report;
}

}  // namespace bursar::test
