#include "expose/prometheus_destination.h"

#include <algorithm>
#include <utility>

#include <bursar/bounds/usage_expr.h>
#include <bursar/report/exposition_writer.h>

#include "expose/telemetry.h"

namespace bursar::statsd {
namespace {

// The program's own families, and what stands in the text before them.
constexpr std::size_t kTelemetryBytes = 64 * 1024;

}  // namespace

PrometheusDestination::PrometheusDestination(const Aggregator& aggregator, std::vector<const LineIntake*> sources,
                                             ResourceGroupToken group, std::size_t max_exposition_bytes)
    : aggregator_(aggregator),
      sources_(std::move(sources)),
      group_(group),
      max_exposition_bytes_(max_exposition_bytes) {}

std::size_t PrometheusDestination::available_bytes() const noexcept {
  const std::uint64_t held = group_.stats().totals().live_bytes();
  return max_exposition_bytes_ - static_cast<std::size_t>(std::min<std::uint64_t>(held, max_exposition_bytes_));
}

void PrometheusDestination::render(std::string& text, ExpositionFormat format) {
  const ResourceTrackingGuard guard(group_);
  const std::size_t room = std::min(available_bytes(), estimated_bytes(aggregator_));
  text.reserve(text.size() + kTelemetryBytes + room);
  last_ = render_contexts(aggregator_, format, text.size() + room, text);
  ExpositionWriter writer(text, format);
  render_telemetry(sources_, aggregator_, last_, writer);
}

void PrometheusDestination::Bounds::specify_bounds(MemoryBoundsBuilder& builder) const {
  builder.minimum().with_fixed_amount("telemetry", kTelemetryBytes);
  builder.firm().with_expr(UsageExpr::config("max_exposition_bytes", max_exposition_bytes));
}

}  // namespace bursar::statsd
