#include "expose/telemetry.h"

#include <array>
#include <cstdint>
#include <string_view>

namespace bursar::statsd {
namespace {

// A counter that each source has.
struct SourceFamily {
  std::string_view name;
  std::string_view help;
  std::uint64_t SourceCounters::* value;
};

constexpr std::array<SourceFamily, 12> kSourceCounters = {{
    {"bursar_statsd_packets_total", "Datagrams received, or reads of a stream.", &SourceCounters::packets},
    {"bursar_statsd_received_bytes_total", "Bytes received.", &SourceCounters::bytes},
    {"bursar_statsd_lines_total", "Lines received, whatever became of them.", &SourceCounters::lines},
    {"bursar_statsd_metrics_total", "Lines that were aggregated.", &SourceCounters::metrics},
    {"bursar_statsd_events_total", "Lines that were valid events; they are counted only.", &SourceCounters::events},
    {"bursar_statsd_service_checks_total", "Lines that were valid service checks; they are counted only.",
     &SourceCounters::service_checks},
    {"bursar_statsd_unknown_fields_total", "Fields passed over in lines that were used.",
     &SourceCounters::unknown_fields},
    {"bursar_statsd_truncated_datagrams_total", "Datagrams longer than the receive buffer.",
     &SourceCounters::truncated_datagrams},
    {"bursar_statsd_kernel_dropped_datagrams_total",
     "Datagrams that the kernel dropped, the socket's buffer being full.", &SourceCounters::kernel_drops},
    {"bursar_statsd_read_errors_total", "Reads that failed.", &SourceCounters::read_errors},
    {"bursar_statsd_connections_accepted_total", "Connections accepted, those closed at once included.",
     &SourceCounters::connections_accepted},
    {"bursar_statsd_connections_rejected_total", "Connections closed at once, there being too many.",
     &SourceCounters::connections_rejected},
}};

using Type = ExpositionWriter::MetricType;

void render_sources(std::span<const LineIntake* const> sources, ExpositionWriter& writer) {
  for (const SourceFamily& family : kSourceCounters) {
    writer.family(family.name, Type::Counter, family.help);
    for (const LineIntake* source : sources) {
      writer.sample({{"source", source->source()}}, source->counters().*family.value);
    }
  }
  writer.family("bursar_statsd_connections", Type::Gauge, "Connections open now.");
  for (const LineIntake* source : sources) {
    writer.sample({{"source", source->source()}}, source->counters().connections_open);
  }
}

// All reasons are shown from the start, so that a rate over any of them has something to begin with.
void render_drops(std::span<const LineIntake* const> sources, ExpositionWriter& writer) {
  writer.family("bursar_statsd_lines_dropped_total", Type::Counter, "Lines that were not used, by reason.");
  for (const LineIntake* source : sources) {
    for (std::size_t i = 0; i < kDropReasonCount; ++i) {
      const auto reason = static_cast<DropReason>(i);
      writer.sample({{"source", source->source()}, {"reason", to_string(reason)}}, source->counters().dropped[reason]);
    }
  }
}

void render_aggregator(const Aggregator& aggregator, const RenderedContexts& rendered, ExpositionWriter& writer) {
  const auto write = [&](std::string_view name, Type type, std::string_view help, std::uint64_t value) {
    writer.family(name, type, help);
    writer.sample({}, value);
  };
  const AggregatorStats& stats = aggregator.stats();
  write("bursar_statsd_contexts", Type::Gauge, "Series held now.", aggregator.contexts());
  write("bursar_statsd_contexts_limit", Type::Gauge, "Series that may be held at once.",
        aggregator.limits().max_contexts);
  write("bursar_statsd_families", Type::Gauge, "Metric names held now.", aggregator.families());
  write("bursar_statsd_contexts_created_total", Type::Counter, "Series begun.", stats.created_contexts);
  write("bursar_statsd_contexts_expired_total", Type::Counter, "Series forgotten after being idle.",
        stats.expired_contexts);
  write("bursar_statsd_name_collisions_total", Type::Counter,
        "Lines added to a series whose name in StatsD is another one, both being the same to Prometheus.",
        stats.name_collisions);
  write("bursar_statsd_merged_tags_total", Type::Counter, "Lines of which several tags became one label.",
        stats.merged_tags);
  write("bursar_statsd_contexts_omitted", Type::Gauge, "Series that found no room in this answer.",
        rendered.omitted_contexts);
}

}  // namespace

void render_telemetry(std::span<const LineIntake* const> sources, const Aggregator& aggregator,
                      const RenderedContexts& rendered, ExpositionWriter& writer) {
  render_sources(sources, writer);
  render_drops(sources, writer);
  render_aggregator(aggregator, rendered, writer);
}

}  // namespace bursar::statsd
