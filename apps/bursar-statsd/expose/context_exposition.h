#pragma once

#include <cstddef>
#include <string>

#include "aggregate/aggregator.h"
#include "expose/series_writer.h"

namespace bursar::statsd {

// What became of a rendering.
struct RenderedContexts {
  std::size_t contexts = 0;          // that were written
  std::size_t omitted_contexts = 0;  // that found no room
};

// Appends all contexts to `text`, sorted by name, as long as it stays within `max_bytes`: those that find no room are
// left out, and what is there can be parsed. Counters and gauges are what they are called, a set is a gauge of how many
// different values it had, timers, histograms and distributions are summaries. Values keep the unit in which they were
// sent. In OpenMetrics a counter's type is `unknown`, since a counter there would have to be renamed to end in
// `_total`, and a name should not depend on who asks.
RenderedContexts render_contexts(const Aggregator& aggregator, ExpositionFormat format, std::size_t max_bytes,
                                 std::string& text);

// How long the text of all contexts becomes at most. Cost: a look at each context, without writing anything.
[[nodiscard]] std::size_t estimated_bytes(const Aggregator& aggregator);

}  // namespace bursar::statsd
