#pragma once

#include <span>
#include <string>

#include "aggregate/aggregator.h"
#include "intake/line_intake.h"

namespace bursar::statsd {

// The accounts of all sources at the end, in which each line that was received is accepted or dropped for a reason: a text
// for people, and one line of JSON that begins with "summary ".
//
// The JSON has for each source: packets, bytes, lines, metrics, events, service_checks, dropped (an object with the count
// of each reason that occurred), truncated_datagrams, kernel_dropped_datagrams; and beside them contexts.
[[nodiscard]] std::string render_summary(std::span<const LineIntake* const> sources, const Aggregator& aggregator);

}  // namespace bursar::statsd
