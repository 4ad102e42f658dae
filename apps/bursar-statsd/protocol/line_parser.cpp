#include "protocol/line_parser.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <system_error>

#include "protocol/utf8.h"

namespace bursar::statsd {
namespace {

// One received value stands for a billion events at most.
constexpr double kMinSampleRate = 1e-9;

// Takes the text before the next `separator` off the front of `rest`; all of it where there is none.
std::string_view take_field(std::string_view& rest, char separator) {
  const std::size_t end = rest.find(separator);
  const std::string_view field = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  return field;
}

template <typename Integer>
std::optional<Integer> parse_integer(std::string_view text) {
  Integer value{};
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || rest != end) return std::nullopt;
  return value;
}

std::optional<MetricType> parse_type(std::string_view text) {
  if (text == "c") return MetricType::kCounter;
  if (text == "g") return MetricType::kGauge;
  if (text == "s") return MetricType::kSet;
  if (text == "ms") return MetricType::kTimer;
  if (text == "h") return MetricType::kHistogram;
  if (text == "d") return MetricType::kDistribution;
  return std::nullopt;
}

std::optional<DropReason> check_tags(std::string_view tags, const ParserLimits& limits) {
  const auto commas = static_cast<std::size_t>(std::ranges::count(tags, ','));
  if (commas >= limits.max_tags) return DropReason::kTooManyTags;
  if (tags.starts_with(':') || tags.find(",:") != std::string_view::npos) return DropReason::kBadTag;
  return std::nullopt;
}

std::optional<DropReason> parse_extension(std::string_view field, const ParserLimits& limits, Metric& metric) {
  if (field.starts_with('@')) {
    const std::optional<Sample> rate = parse_sample(field.substr(1));
    if (!rate || rate->value < kMinSampleRate || rate->value > 1) return DropReason::kBadSampleRate;
    metric.sample_rate = rate->value;
    return std::nullopt;
  }
  if (field.starts_with('#')) {
    if (!metric.tags.empty()) return DropReason::kBadTag;
    metric.tags = field.substr(1);
    return check_tags(metric.tags, limits);
  }
  if (field.starts_with("c:")) {
    metric.container = field.substr(2);
    return std::nullopt;
  }
  if (field.starts_with('T')) {
    if (const auto timestamp = parse_integer<std::int64_t>(field.substr(1))) {
      metric.timestamp_seconds = timestamp;
      return std::nullopt;
    }
  }
  ++metric.unknown_fields;
  return std::nullopt;
}

// The scaled value has to be a number too: 1e308 at a rate of 0.001 is none.
std::optional<DropReason> check_sample(const Metric& metric, double value) {
  if (metric.type == MetricType::kCounter && value < 0) return DropReason::kNegativeCounter;
  if (!std::isfinite(value * metric.weight())) return DropReason::kBadSampleRate;
  return std::nullopt;
}

std::optional<DropReason> parse_values(Metric& metric) {
  if (metric.type == MetricType::kSet) return std::nullopt;
  std::string_view rest = metric.values;
  bool is_first = true;
  do {
    const bool has_more = rest.find(':') != std::string_view::npos;
    const std::optional<Sample> sample = parse_sample(take_field(rest, ':'));
    if (!sample) return DropReason::kBadValue;
    if (const auto reason = check_sample(metric, sample->value)) return reason;
    if (is_first) metric.first = *sample;
    is_first = false;
    if (!has_more) return std::nullopt;
  } while (true);
}

std::expected<Line, DropReason> parse_metric(std::string_view line, const ParserLimits& limits) {
  const bool has_type = line.find('|') != std::string_view::npos;
  std::string_view rest = line;
  std::string_view head = take_field(rest, '|');
  Metric metric;
  metric.name = take_field(head, ':');
  metric.values = head;
  if (metric.name.empty()) return std::unexpected(DropReason::kEmptyName);
  if (metric.name.size() > limits.max_name_bytes) return std::unexpected(DropReason::kNameTooLong);
  if (metric.values.empty()) return std::unexpected(DropReason::kNoValue);
  if (!has_type) return std::unexpected(DropReason::kNoType);
  const std::optional<MetricType> type = parse_type(take_field(rest, '|'));
  if (!type) return std::unexpected(DropReason::kBadType);
  metric.type = *type;
  while (!rest.empty()) {
    if (const auto reason = parse_extension(take_field(rest, '|'), limits, metric)) return std::unexpected(*reason);
  }
  if (const auto reason = parse_values(metric)) return std::unexpected(*reason);
  return metric;
}

// `_e{5,4}:title|text|...`: the lengths count bytes, so that either part may hold a pipe.
std::expected<Line, DropReason> parse_event(std::string_view line) {
  constexpr auto kBad = std::unexpected(DropReason::kBadEvent);
  std::string_view rest = line.substr(3);
  const auto title_bytes = parse_integer<std::size_t>(take_field(rest, ','));
  const auto text_bytes = parse_integer<std::size_t>(take_field(rest, '}'));
  if (!title_bytes || !text_bytes || *title_bytes == 0 || !rest.starts_with(':')) return kBad;
  rest.remove_prefix(1);
  if (rest.size() <= *title_bytes || rest[*title_bytes] != '|') return kBad;
  Event event;
  event.title = rest.substr(0, *title_bytes);
  rest.remove_prefix(*title_bytes + 1);
  if (rest.size() < *text_bytes) return kBad;
  event.text = rest.substr(0, *text_bytes);
  rest.remove_prefix(*text_bytes);
  if (!rest.empty() && !rest.starts_with('|')) return kBad;
  return event;
}

std::expected<Line, DropReason> parse_service_check(std::string_view line) {
  std::string_view rest = line.substr(4);
  ServiceCheck check;
  check.name = take_field(rest, '|');
  const std::string_view status = take_field(rest, '|');
  if (check.name.empty() || status.size() != 1 || status[0] < '0' || status[0] > '3') {
    return std::unexpected(DropReason::kBadServiceCheck);
  }
  check.status = static_cast<std::uint8_t>(status[0] - '0');
  return check;
}

}  // namespace

std::expected<Line, DropReason> parse_line(std::string_view line, const ParserLimits& limits) noexcept {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.size() > limits.max_line_bytes) return std::unexpected(DropReason::kOverLong);
  if (line.find('\0') != std::string_view::npos) return std::unexpected(DropReason::kNulByte);
  if (!is_valid_utf8(line)) return std::unexpected(DropReason::kInvalidUtf8);
  if (line.starts_with("_e{")) return parse_event(line);
  if (line.starts_with("_sc|")) return parse_service_check(line);
  return parse_metric(line, limits);
}

}  // namespace bursar::statsd
