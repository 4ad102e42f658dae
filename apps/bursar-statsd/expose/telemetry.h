#pragma once

#include <cstddef>
#include <span>

#include <bursar/report/exposition_writer.h>

#include "aggregate/aggregator.h"
#include "expose/context_exposition.h"
#include "intake/line_intake.h"

namespace bursar::statsd {

// Writes what the program tells of itself: the families `bursar_statsd_...`.
void render_telemetry(std::span<const LineIntake* const> sources, const Aggregator& aggregator,
                      const RenderedContexts& rendered, ExpositionWriter& writer);

}  // namespace bursar::statsd
