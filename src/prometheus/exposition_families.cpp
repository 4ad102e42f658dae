#include "prometheus/exposition_families.h"

#include <prometheus/client_metric.h>
#include <prometheus/metric_type.h>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

namespace bursar::prometheus_detail {
namespace {

using ::prometheus::ClientMetric;
using ::prometheus::MetricFamily;
using ::prometheus::MetricType;

// What stands before `separator`, which is taken off with it; all of it where there is none.
std::string_view take_until(std::string_view& text, char separator) {
  const std::size_t end = text.find(separator);
  const std::string_view taken = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return taken;
}

// How much of `text` stands before the first of the two, all of it where neither is there. find_first_of looks up each
// character in a set.
std::size_t length_before(std::string_view text, char one, char other) {
  std::size_t length = 0;
  while (length < text.size() && text[length] != one && text[length] != other) ++length;
  return length;
}

// A label's value up to its closing quote, which is taken off with it. Nothing where it is not closed.
std::optional<std::string> take_label_value(std::string_view& text) {
  std::string value;
  while (true) {
    const std::size_t end = length_before(text, '"', '\\');
    if (end == text.size()) {
      return std::nullopt;
    }
    value.append(text.substr(0, end));
    const char found = text[end];
    text.remove_prefix(end + 1);
    if (found == '"') {
      return value;
    }
    if (text.empty()) {
      return std::nullopt;
    }
    value += text.front() == 'n' ? '\n' : text.front();
    text.remove_prefix(1);
  }
}

// Labels as far as the closing brace, which is taken off with them.
bool take_labels(std::string_view& text, std::vector<ClientMetric::Label>& labels) {
  while (!text.starts_with('}')) {
    std::string name(take_until(text, '='));
    if (name.empty() || !text.starts_with('"')) {
      return false;
    }
    text.remove_prefix(1);
    std::optional<std::string> value = take_label_value(text);
    if (!value) {
      return false;
    }
    labels.push_back({.name = std::move(name), .value = *std::move(value)});
    if (text.starts_with(',')) {
      text.remove_prefix(1);
    }
  }
  text.remove_prefix(1);
  return true;
}

template <typename Number>
std::optional<Number> number_in(std::string_view text) {
  // Which std::from_chars does not take.
  if (text.starts_with('+')) {
    text.remove_prefix(1);
  }
  Number number{};
  const char* const end = text.data() + text.size();
  const auto [stopped_at, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stopped_at == end ? std::optional(number) : std::nullopt;
}

MetricType type_named(std::string_view name) {
  if (name == "counter") {
    return MetricType::Counter;
  }
  return name == "gauge" ? MetricType::Gauge : MetricType::Untyped;
}

class FamilyReader {
 public:
  std::vector<MetricFamily> read(std::string_view text) {
    while (!text.empty()) {
      const std::string_view line = take_until(text, '\n');
      if (line.starts_with("# ")) {
        read_comment(line.substr(2));
      } else if (!line.empty()) {
        read_sample(line);
      }
    }
    // The name of a histogram, whose samples have names of their own.
    std::erase_if(families_, [](const MetricFamily& family) {
      return family.type == MetricType::Untyped && family.metric.empty();
    });
    return std::move(families_);
  }

 private:
  MetricFamily& family_named(std::string_view name) {
    if (families_.empty() || families_.back().name != name) {
      // As many as the last family had: most have one sample for each group.
      const std::size_t expected = families_.empty() ? 0 : families_.back().metric.size();
      families_.push_back({.name = std::string(name), .help = {}, .type = MetricType::Untyped, .metric = {}});
      families_.back().metric.reserve(expected);
    }
    return families_.back();
  }

  void read_comment(std::string_view line) {
    const std::string_view keyword = take_until(line, ' ');
    if (keyword == "HELP") {
      const std::string_view name = take_until(line, ' ');
      // With its escapes: prometheus-cpp writes it as it is.
      family_named(name).help = std::string(line);
    } else if (keyword == "TYPE") {
      const std::string_view name = take_until(line, ' ');
      family_named(name).type = type_named(line);
    }
  }

  void read_sample(std::string_view line) {
    const std::string_view name = line.substr(0, length_before(line, '{', ' '));
    line.remove_prefix(name.size());
    MetricFamily& family = family_named(name);
    // In its place at once: it is large.
    if (!read_labels_and_value(line, family.type, family.metric.emplace_back())) {
      family.metric.pop_back();
    }
  }

  static bool read_labels_and_value(std::string_view line, MetricType type, ClientMetric& metric) {
    if (line.starts_with('{')) {
      line.remove_prefix(1);
      if (!take_labels(line, metric.label)) {
        return false;
      }
    }
    if (!line.starts_with(' ')) {
      return false;
    }
    line.remove_prefix(1);
    const std::optional<double> value = number_in<double>(take_until(line, ' '));
    if (!value) {
      return false;
    }
    metric.timestamp_ms = number_in<std::int64_t>(line).value_or(0);
    switch (type) {
      case MetricType::Counter:
        metric.counter.value = *value;
        break;
      case MetricType::Gauge:
        metric.gauge.value = *value;
        break;
      default:
        metric.untyped.value = *value;
    }
    return true;
  }

  std::vector<MetricFamily> families_;
};

}  // namespace

std::vector<MetricFamily> families_of(std::string_view text) {
  return FamilyReader().read(text);
}

}  // namespace bursar::prometheus_detail
