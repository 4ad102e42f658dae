#include "expose/context_exposition.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <utility>

namespace bursar::statsd {
namespace {

struct Quantile {
  double rank;
  std::string_view label;
};
constexpr std::array<Quantile, 4> kQuantiles = {{
    {0.5, "quantile=\"0.5\""},
    {0.9, "quantile=\"0.9\""},
    {0.95, "quantile=\"0.95\""},
    {0.99, "quantile=\"0.99\""},
}};

std::string_view exposition_type(MetricType type, ExpositionFormat format) {
  if (is_summary(type)) return "summary";
  if (type != MetricType::kCounter) return "gauge";
  return format == ExpositionFormat::OpenMetrics ? "unknown" : "counter";
}

// Writes the contexts of one family after the other; the strings are kept from one to the next.
class ContextWriter {
 public:
  explicit ContextWriter(std::string& text, ExpositionFormat format) : text_(text), writer_(text, format) {}

  // How many contexts of the family were written until the text became longer than `max_bytes`.
  std::size_t write(const Family& family, std::size_t max_bytes) {
    const std::string_view type = to_string(family.type);
    std::size_t fitting_bytes = text_.size();
    std::size_t contexts = 0;
    help_.assign("StatsD ").append(type).append(" ").append(family.original_name());
    writer_.family(family.name, exposition_type(family.type, writer_.format()), help_);
    for (const Context* context = family.first; context != nullptr; context = context->next) {
      write(family.name, *context);
      if (text_.size() > max_bytes) break;
      fitting_bytes = text_.size();
      ++contexts;
    }
    text_.resize(fitting_bytes);
    return contexts;
  }

 private:
  void write(std::string_view name, const Context& context) {
    const std::string_view labels = context.key.substr(name.size() + 1);
    if (const auto* counter = std::get_if<CounterValue>(&context.value)) {
      writer_.sample(name, labels, counter->total);
    } else if (const auto* gauge = std::get_if<GaugeValue>(&context.value)) {
      writer_.sample(name, labels, gauge->value);
    } else if (const auto* set = std::get_if<SetValue>(&context.value)) {
      writer_.sample(name, labels, set->unique.count());
    } else if (const auto* summary = std::get_if<SummaryValue>(&context.value)) {
      write(name, labels, *summary);
    }
  }

  void write(std::string_view name, std::string_view labels, const SummaryValue& summary) {
    for (const Quantile& quantile : kQuantiles) {
      labels_.assign(labels);
      if (!labels_.empty()) labels_ += ',';
      labels_ += quantile.label;
      writer_.sample(name, labels_, summary.sketch.quantile(quantile.rank));
    }
    name_.assign(name).append("_sum");
    writer_.sample(name_, labels, summary.sum);
    name_.assign(name).append("_count");
    // A rate such as 0.3 makes fractions of events, which a count cannot show.
    writer_.sample(name_, labels, std::round(summary.count));
  }

  std::string& text_;
  SeriesWriter writer_;
  std::string help_;
  std::string labels_;
  std::string name_;
};

// What a line has beside the key of its series: a suffix of the name, a quantile, two braces and a number.
constexpr std::size_t kLineExtraBytes = 64;
// What HELP and TYPE have beside the names.
constexpr std::size_t kFamilyExtraBytes = 64;

constexpr std::size_t lines_of(MetricType type) {
  return is_summary(type) ? kQuantiles.size() + 2 : 1;
}

}  // namespace

std::size_t estimated_bytes(const Aggregator& aggregator) {
  std::size_t bytes = 0;
  aggregator.visit_families([&](const Family& family) {
    // A received name may double where its characters are escaped.
    bytes += 2 * family.name.size() + 2 * family.original_name().size() + kFamilyExtraBytes;
    const std::size_t lines = lines_of(family.type);
    for (const Context* context = family.first; context != nullptr; context = context->next) {
      bytes += lines * (context->key.size() + kLineExtraBytes);
    }
  });
  return bytes;
}

RenderedContexts render_contexts(const Aggregator& aggregator, ExpositionFormat format, std::size_t max_bytes,
                                 std::string& text) {
  RenderedContexts rendered;
  ContextWriter writer(text, format);
  std::size_t seen = 0;
  // Once a context did not fit, the others are not tried, which bounds the time too.
  bool is_full = false;
  aggregator.visit_families([&](const Family& family) {
    if (is_full) return;
    seen += family.contexts;
    rendered.contexts += writer.write(family, max_bytes);
    is_full = rendered.contexts < seen;
  });
  rendered.omitted_contexts = aggregator.contexts() - rendered.contexts;
  return rendered;
}

}  // namespace bursar::statsd
