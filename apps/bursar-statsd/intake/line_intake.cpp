#include "intake/line_intake.h"

#include <span>
#include <variant>

namespace bursar::statsd {

void LineIntake::accept_datagram(std::string_view text, bool is_truncated, TimePoint now) {
  ++counters_.packets;
  counters_.bytes += text.size();
  if (is_truncated) ++counters_.truncated_datagrams;
  while (!text.empty()) {
    const std::size_t newline = text.find('\n');
    const std::string_view line = text.substr(0, newline);
    if (newline == std::string_view::npos && is_truncated) {
      drop_line(DropReason::kTruncated, line, now);
      break;
    }
    accept_line(line, now);
    if (newline == std::string_view::npos) break;
    text.remove_prefix(newline + 1);
  }
  flush(now);
}

void LineIntake::accept_line(std::string_view line, TimePoint now) {
  if (line.empty() || line == "\r") return;
  ++counters_.lines;
  const auto parsed = parse_line(line, limits_);
  if (!parsed) {
    refuse(parsed.error(), line, now);
  } else if (const auto* metric = std::get_if<Metric>(&*parsed)) {
    counters_.unknown_fields += metric->unknown_fields;
    batch_[batch_lines_++] = {line, *metric, std::nullopt};
    if (batch_lines_ == kBatchLines) flush(now);
  } else if (std::holds_alternative<Event>(*parsed)) {
    ++counters_.events;
  } else {
    ++counters_.service_checks;
  }
}

void LineIntake::drop_line(DropReason reason, std::string_view line, TimePoint now) {
  ++counters_.lines;
  refuse(reason, line, now);
}

void LineIntake::flush(TimePoint now) {
  if (batch_lines_ == 0) return;
  const std::span<Pending> batch = std::span(batch_).first(batch_lines_);
  {
    const ResourceTrackingGuard guard(destination_.aggregate_group);
    for (Pending& pending : batch) pending.refused = destination_.aggregator.record(pending.metric, now);
  }
  batch_lines_ = 0;
  for (const Pending& pending : batch) {
    if (pending.refused) {
      refuse(*pending.refused, pending.line, now);
    } else {
      ++counters_.metrics;
    }
  }
}

void LineIntake::refuse(DropReason reason, std::string_view line, TimePoint now) {
  counters_.dropped.add(reason);
  destination_.bad_input.report(source_, reason, line, now);
}

}  // namespace bursar::statsd
