#include "protocol/metric.h"

#include <charconv>
#include <cmath>
#include <system_error>

namespace bursar::statsd {

std::string_view to_string(MetricType type) noexcept {
  switch (type) {
    case MetricType::kCounter:
      return "counter";
    case MetricType::kGauge:
      return "gauge";
    case MetricType::kSet:
      return "set";
    case MetricType::kTimer:
      return "timer";
    case MetricType::kHistogram:
      return "histogram";
    case MetricType::kDistribution:
      return "distribution";
  }
  return "unknown";
}

std::optional<Sample> parse_sample(std::string_view text) noexcept {
  Sample sample;
  sample.is_signed = !text.empty() && (text.front() == '+' || text.front() == '-');
  // from_chars knows no plus sign, and would take the minus of "+-1".
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, sample.value);
  if (error != std::errc{} || rest != end || !std::isfinite(sample.value)) return std::nullopt;
  return sample;
}

}  // namespace bursar::statsd
