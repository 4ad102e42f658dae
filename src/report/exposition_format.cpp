#include <bursar/report/exposition_format.h>

#include <charconv>
#include <optional>

namespace bursar {
namespace {

constexpr std::string_view kWhiteSpace = " \t";

std::string_view trimmed(std::string_view text) noexcept {
  const std::size_t first = text.find_first_not_of(kWhiteSpace);
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(kWhiteSpace) - first + 1);
}

// The text before `separator`, which is taken off `rest` together with it.
std::string_view take_until(std::string_view& rest, char separator) noexcept {
  const std::size_t end = rest.find(separator);
  const std::string_view taken = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return trimmed(taken);
}

bool equals_ignoring_case(std::string_view left, std::string_view lower_case) noexcept {
  if (left.size() != lower_case.size()) {
    return false;
  }
  for (std::size_t index = 0; index < left.size(); ++index) {
    const char character = left[index];
    if ((character >= 'A' && character <= 'Z' ? static_cast<char>(character - 'A' + 'a') : character) !=
        lower_case[index]) {
      return false;
    }
  }
  return true;
}

// The weight among a media range's parameters; a range without one counts fully.
double quality(std::string_view parameters) noexcept {
  double weight = 1.0;
  while (!parameters.empty()) {
    const std::string_view parameter = take_until(parameters, ';');
    if (parameter.starts_with("q=") || parameter.starts_with("Q=")) {
      const std::string_view value = parameter.substr(2);
      double number = 0.0;
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
      weight =
          error == std::errc() && end == value.data() + value.size() && number >= 0.0 && number <= 1.0 ? number : 0.0;
    }
  }
  return weight;
}

void keep_greater(std::optional<double>& best, double weight) noexcept {
  if (!best || weight > *best) {
    best = weight;
  }
}

}  // namespace

ExpositionFormat negotiate_exposition_format(std::string_view accept) noexcept {
  std::optional<double> open_metrics;
  std::optional<double> plain;
  std::optional<double> any_text;
  std::optional<double> anything;
  while (!accept.empty()) {
    std::string_view range = take_until(accept, ',');
    const std::string_view type = take_until(range, ';');
    const double weight = quality(range);
    if (equals_ignoring_case(type, "application/openmetrics-text")) {
      keep_greater(open_metrics, weight);
    } else if (equals_ignoring_case(type, "text/plain")) {
      keep_greater(plain, weight);
    } else if (equals_ignoring_case(type, "text/*")) {
      keep_greater(any_text, weight);
    } else if (type == "*/*") {
      keep_greater(anything, weight);
    }
  }
  const double text = plain ? *plain : any_text ? *any_text : anything.value_or(0.0);
  const double wanted = open_metrics.value_or(0.0);
  return wanted > 0.0 && wanted >= text ? ExpositionFormat::OpenMetrics : ExpositionFormat::PrometheusText;
}

std::string_view content_type(ExpositionFormat format) noexcept {
  return format == ExpositionFormat::OpenMetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                                 : "text/plain; version=0.0.4; charset=utf-8";
}

}  // namespace bursar
