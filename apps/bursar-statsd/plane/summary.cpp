#include "plane/summary.h"

#include <fmt/format.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string_view>

namespace bursar::statsd {
namespace {

template <typename Visitor>
void visit_drops(const DropCounts& dropped, Visitor&& visitor) {
  for (std::size_t i = 0; i < kDropReasonCount; ++i) {
    const auto reason = static_cast<DropReason>(i);
    if (dropped[reason] > 0) visitor(to_string(reason), dropped[reason]);
  }
}

void append_text(std::string& text, std::string_view name, const SourceCounters& counters) {
  text += fmt::format("  {:<5}{:>10} lines = {} metrics + {} events + {} checks + {} dropped\n", name, counters.lines,
                      counters.metrics, counters.events, counters.service_checks, counters.dropped.total());
  visit_drops(counters.dropped, [&](std::string_view reason, std::uint64_t lines) {
    text += fmt::format("         dropped {:>9} {}\n", lines, reason);
  });
  if (counters.kernel_drops > 0) {
    text += fmt::format("         and {} datagrams that the kernel dropped, besides {} received\n",
                        counters.kernel_drops, counters.packets);
  }
  if (counters.truncated_datagrams > 0) {
    text += fmt::format("         {} datagrams were longer than the buffer\n", counters.truncated_datagrams);
  }
  if (counters.connections_rejected > 0) {
    text += fmt::format("         {} of {} connections were one too many\n", counters.connections_rejected,
                        counters.connections_accepted);
  }
}

nlohmann::ordered_json to_json(const SourceCounters& counters) {
  nlohmann::ordered_json dropped = nlohmann::ordered_json::object();
  visit_drops(counters.dropped, [&](std::string_view reason, std::uint64_t lines) { dropped[reason] = lines; });
  nlohmann::ordered_json json;
  json["packets"] = counters.packets;
  json["bytes"] = counters.bytes;
  json["lines"] = counters.lines;
  json["metrics"] = counters.metrics;
  json["events"] = counters.events;
  json["service_checks"] = counters.service_checks;
  json["dropped_lines"] = counters.dropped.total();
  json["dropped"] = std::move(dropped);
  json["truncated_datagrams"] = counters.truncated_datagrams;
  json["kernel_dropped_datagrams"] = counters.kernel_drops;
  return json;
}

}  // namespace

std::string summary_text(std::span<const LineIntake* const> sources, const Aggregator& aggregator) {
  std::string text = "received\n";
  bool adds_up = true;
  for (const LineIntake* source : sources) {
    const SourceCounters& counters = source->counters();
    append_text(text, source->source(), counters);
    adds_up = adds_up && counters.lines == counters.accepted() + counters.dropped.total();
  }
  text += adds_up ? "every line is accounted for" : "the accounts do not add up: this is a defect";
  text += fmt::format("; {} contexts in {} families, {} expired\n", aggregator.contexts(), aggregator.families(),
                      aggregator.stats().expired_contexts);
  return text;
}

std::string summary_json(std::span<const LineIntake* const> sources, const Aggregator& aggregator) {
  nlohmann::ordered_json json;
  for (const LineIntake* source : sources) json[source->source()] = to_json(source->counters());
  json["contexts"] = aggregator.contexts();
  return json.dump(2) + "\n";
}

}  // namespace bursar::statsd
