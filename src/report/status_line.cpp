#include "report/status_line.h"

#include "report/figure_text.h"
#include "report/terminal_text.h"
#include "report/text_table.h"

#include <bursar/base/bytes.h>

#include <utility>

namespace bursar::report_detail {
namespace {

struct Phrase {
  std::string text;
  Style style = Style::Plain;
};

Phrase memory_phrase(const ResourceReport& report) {
  if (!report.process.resident_bytes) {
    return {"resident size unknown", Style::Warning};
  }
  const std::uint64_t resident = *report.process.resident_bytes;
  std::string text = "resident " + format_bytes(resident);
  if (report.grant && report.grant->effective_limit_bytes() != 0) {
    const std::uint64_t limit = report.grant->effective_limit_bytes();
    text +=
        " of " + format_bytes(limit) + " (" + percent(static_cast<double>(resident) / static_cast<double>(limit)) + ")";
    return {std::move(text), resident > limit ? Style::Alarm : Style::Strong};
  }
  return {std::move(text), Style::Strong};
}

Phrase limit_phrase(const ResourceReport& report) {
  if (!report.grant) {
    return {"no limit", Style::Quiet};
  }
  std::string text = "limit " + format_bytes(report.grant->initial_limit_bytes());
  if (report.grant->slop_factor() > 0.0) {
    text += " less " + percent(report.grant->slop_factor());
  }
  return {std::move(text), Style::Quiet};
}

std::vector<Phrase> limiter_phrases(const LimiterReading& limiter) {
  if (limiter.mode == LimiterMode::Off) {
    return {{"limiter off", Style::Quiet}};
  }
  const Style style = limiter.state == LimiterState::Normal ? Style::Good
                      : limiter.state == LimiterState::Soft ? Style::Warning
                                                            : Style::Alarm;
  std::string state = "limiter " + std::string(to_string(limiter.state));
  if (limiter.mode == LimiterMode::Observe) {
    state += " (observed)";
  }
  return {{std::move(state), style},
          {"back-off " + duration_text(limiter.backoff.count()), limiter.backoff.count() == 0 ? Style::Quiet : style},
          {"waits " + grouped(limiter.waits), Style::Quiet}};
}

std::vector<Phrase> phrases_of(const ResourceReport& report) {
  std::vector<Phrase> phrases{memory_phrase(report), limit_phrase(report)};
  if (report.limiter) {
    for (Phrase& phrase : limiter_phrases(*report.limiter)) {
      phrases.push_back(std::move(phrase));
    }
  }
  if (!report.bookkeeping.allocator_installed) {
    phrases.push_back({"allocations are not tracked", Style::Warning});
  }
  if (report.bookkeeping.foreign_blocks != 0) {
    phrases.push_back({"foreign blocks " + grouped(report.bookkeeping.foreign_blocks), Style::Warning});
  }
  if (report.bookkeeping.rejected_groups != 0) {
    phrases.push_back({"rejected groups " + grouped(report.bookkeeping.rejected_groups), Style::Warning});
  }
  return phrases;
}

}  // namespace

std::vector<std::string> status_lines(const ResourceReport& report, std::size_t width, bool colours) {
  constexpr std::size_t kGap = 3;
  std::vector<std::string> lines;
  std::size_t used = 0;
  for (const Phrase& phrase : phrases_of(report)) {
    const std::string text = fit_into(phrase.text, width);
    const std::size_t columns = columns_of(text);
    if (lines.empty() || used + kGap + columns > width) {
      lines.emplace_back();
      used = 0;
    } else {
      lines.back().append(kGap, ' ');
      used += kGap;
    }
    lines.back() += styled(text, phrase.style, colours);
    used += columns;
  }
  return lines;
}

}  // namespace bursar::report_detail
