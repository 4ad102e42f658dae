#include <bursar/report/resource_metrics.h>

#include <chrono>
#include <map>
#include <string>
#include <string_view>

namespace bursar {
namespace {

using MetricType = ExpositionWriter::MetricType;

struct Bounds {
  std::uint64_t minimum_required_bytes = 0;
  std::uint64_t firm_limit_bytes = 0;
};

// By the name as a label shows it.
struct Rows {
  std::map<std::string, GroupFigures> groups;
  std::map<std::string, Bounds> components;
};

std::uint64_t saturating_sum(std::uint64_t left, std::uint64_t right) noexcept {
  std::uint64_t sum = 0;
  return __builtin_add_overflow(left, right, &sum) ? UINT64_MAX : sum;
}

void add(GroupFigures& row, const ResourceStatsSnapshot& usage, std::uint64_t peak_live_bytes, std::uint64_t entries) {
  row.usage.merge(usage);
  row.peak_live_bytes += peak_live_bytes;
  row.entries += entries;
}

void collect(const ComponentSnapshot& component, Rows& rows) {
  const std::string label = label_text(component.full_name);
  Bounds& bounds = rows.components[label];
  bounds.minimum_required_bytes = saturating_sum(bounds.minimum_required_bytes, component.minimum_required_bytes);
  bounds.firm_limit_bytes = saturating_sum(bounds.firm_limit_bytes, component.firm_limit_bytes);
  if (component.usage) {
    add(rows.groups[label], *component.usage, component.peak_live_bytes.value_or(0), component.entries.value_or(0));
  }
  for (const ComponentSnapshot& subcomponent : component.subcomponents) {
    collect(subcomponent, rows);
  }
}

Rows rows_of(const RegistrySnapshot& snapshot) {
  Rows rows;
  collect(snapshot.root, rows);
  for (const UnclaimedGroup& group : snapshot.other_groups) {
    add(rows.groups[label_text(group.name)], group.usage, group.peak_live_bytes, group.entries);
  }
  return rows;
}

double seconds(std::uint64_t nanos) noexcept {
  return static_cast<double>(nanos) / 1e9;
}

// The metrics, family by family.
class MetricsOfReport {
 public:
  MetricsOfReport(const ResourceReport& report, ExpositionWriter& writer)
      : report_(report), rows_(rows_of(report.groups)), writer_(writer) {}

  void write_groups() {
    group_family("bursar_group_allocated_bytes_total", MetricType::Counter, "Bytes that the group has allocated.",
                 "bytes", [](const GroupFigures& group) { return group.usage.allocated_bytes; });
    group_family("bursar_group_allocated_objects_total", MetricType::Counter, "Blocks that the group has allocated.",
                 "", [](const GroupFigures& group) { return group.usage.allocated_objects; });
    group_family("bursar_group_deallocated_bytes_total", MetricType::Counter,
                 "Bytes of the group's blocks that were released, by whomever.", "bytes",
                 [](const GroupFigures& group) { return group.usage.deallocated_bytes; });
    group_family("bursar_group_deallocated_objects_total", MetricType::Counter,
                 "Blocks of the group that were released, by whomever.", "",
                 [](const GroupFigures& group) { return group.usage.deallocated_objects; });
    group_family("bursar_group_live_bytes", MetricType::Gauge,
                 "Bytes that the group holds now, in usable sizes of the allocator.", "bytes",
                 [](const GroupFigures& group) { return group.usage.live_bytes(); });
    group_family("bursar_group_live_objects", MetricType::Gauge, "Blocks that the group holds now.", "",
                 [](const GroupFigures& group) { return group.usage.live_objects(); });
    group_family("bursar_group_peak_live_bytes", MetricType::Gauge, "The most bytes that the group held at once.",
                 "bytes", [](const GroupFigures& group) { return group.peak_live_bytes; });
    group_family("bursar_group_entries_total", MetricType::Counter, "How often a thread came into the group.", "",
                 [](const GroupFigures& group) { return group.entries; });
    group_family("bursar_group_cpu_seconds_total", MetricType::Counter,
                 "CPU time of threads while they were in the group.", "seconds",
                 [](const GroupFigures& group) { return seconds(group.usage.cpu_time_nanos); });
  }

  void write_components() {
    component_family("bursar_component_minimum_required_bytes", "What the component itself declared to need at least.",
                     &Bounds::minimum_required_bytes);
    component_family("bursar_component_firm_limit_bytes",
                     "What the component itself declared to use on top of its minimum.", &Bounds::firm_limit_bytes);
    if (report_.bound_standings.empty()) {
      return;
    }
    std::map<std::string, std::uint64_t> breaches;
    for (const auto& [name, standing] : report_.bound_standings) {
      breaches[label_text(name)] += standing.breaches;
    }
    writer_.family("bursar_component_bound_breaches_total", MetricType::Counter,
                   "How often the component went beyond what it declared, by more than the tolerance.");
    for (const auto& [label, count] : breaches) {
      writer_.sample({{"component", label}}, count);
    }
  }

  void write_process(std::optional<std::uint64_t> unattributed_cpu_nanos) {
    gauge("bursar_process_resident_bytes", "Resident size of the process.", "bytes", report_.process.resident_bytes);
    gauge("bursar_unattributed_bytes", "Resident size less the live bytes of all groups.", "bytes",
          report_.unattributed_bytes());
    if (report_.process.cgroup) {
      gauge("bursar_cgroup_working_set_bytes", "Memory of the control group without inactive file pages.", "bytes",
            std::optional(report_.process.cgroup->working_set_bytes));
    }
    if (unattributed_cpu_nanos) {
      writer_.family("bursar_cpu_unattributed_seconds_total", MetricType::Counter,
                     "CPU time of the process that no group was charged for.", "seconds");
      writer_.sample({}, seconds(*unattributed_cpu_nanos));
    }
  }

  void write_limits() {
    if (report_.grant) {
      gauge("bursar_memory_limit_bytes", "Memory that the process was granted.", "bytes",
            std::optional(report_.grant->initial_limit_bytes()));
      gauge("bursar_memory_effective_limit_bytes", "Memory that the process was granted, less the slop.", "bytes",
            std::optional(report_.grant->effective_limit_bytes()));
    }
    if (!report_.limiter) {
      return;
    }
    writer_.family("bursar_limiter_backoff_seconds", MetricType::Gauge, "How long a wait for capacity takes now.",
                   "seconds");
    writer_.sample({}, std::chrono::duration<double>(report_.limiter->backoff).count());
    gauge("bursar_limiter_state", "State of the memory limiter: 0 normal, 1 soft, 2 hard.", "",
          std::optional(static_cast<std::uint64_t>(report_.limiter->state)));
    counter("bursar_limiter_waits_total", "Waits for capacity that met pressure.", report_.limiter->waits);
    counter("bursar_limiter_failed_readings_total", "Readings of memory usage that failed.",
            report_.limiter->failed_readings);
    counter("bursar_limiter_looks_total", "How often memory usage was looked at.", report_.limiter->looks);
    counter("bursar_limiter_events_total", "State changes, purges and other events of the limiter.",
            report_.limiter->events.empty() ? 0 : report_.limiter->events.back().event.sequence);
  }

  void write_bookkeeping() {
    const BookkeepingReading& books = report_.bookkeeping;
    gauge("bursar_allocator_installed", "Whether malloc and operator new are tracked: 1 yes, 0 no.", "",
          std::optional(std::uint64_t{books.allocator_installed ? 1U : 0U}));
    counter("bursar_foreign_blocks_total", "Blocks released without a valid tag: overrun, or from another allocator.",
            books.foreign_blocks);
    counter("bursar_stale_tokens_total", "Times that the token of a retired group was entered.", books.stale_tokens);
    counter("bursar_rejected_groups_total", "Groups that could not be registered and were charged to root.",
            books.rejected_groups);
  }

 private:
  template <typename Figure>
  void group_family(std::string_view name, MetricType type, std::string_view help, std::string_view unit,
                    Figure figure) {
    writer_.family(name, type, help, unit);
    for (const auto& [label, usage] : rows_.groups) {
      writer_.sample({{"group", label}}, figure(usage));
    }
  }

  void component_family(std::string_view name, std::string_view help, std::uint64_t Bounds::* figure) {
    writer_.family(name, MetricType::Gauge, help, "bytes");
    for (const auto& [label, bounds] : rows_.components) {
      writer_.sample({{"component", label}}, bounds.*figure);
    }
  }

  void gauge(std::string_view name, std::string_view help, std::string_view unit, std::optional<std::uint64_t> value) {
    if (value) {
      writer_.family(name, MetricType::Gauge, help, unit);
      writer_.sample({}, *value);
    }
  }

  void counter(std::string_view name, std::string_view help, std::uint64_t value) {
    writer_.family(name, MetricType::Counter, help);
    writer_.sample({}, value);
  }

  const ResourceReport& report_;
  const Rows rows_;
  ExpositionWriter& writer_;
};

}  // namespace

void write_resource_metrics(const ResourceReport& report, std::optional<std::uint64_t> unattributed_cpu_nanos,
                            ExpositionWriter& writer) {
  MetricsOfReport metrics(report, writer);
  metrics.write_groups();
  metrics.write_components();
  metrics.write_process(unattributed_cpu_nanos);
  metrics.write_limits();
  metrics.write_bookkeeping();
}

}  // namespace bursar
