#pragma once

#include <span>
#include <string>

#include "aggregate/aggregator.h"
#include "intake/line_intake.h"

namespace bursar::statsd {

// The accounts of all sources at the end, in which each line that was received is accepted or dropped for a reason.
[[nodiscard]] std::string summary_text(std::span<const LineIntake* const> sources, const Aggregator& aggregator);

// The same as JSON, one key a line. For each source: packets, bytes, lines, metrics, events, service_checks,
// dropped_lines, dropped (how many for each reason that occurred), truncated_datagrams, kernel_dropped_datagrams;
// beside them contexts.
[[nodiscard]] std::string summary_json(std::span<const LineIntake* const> sources, const Aggregator& aggregator);

}  // namespace bursar::statsd
