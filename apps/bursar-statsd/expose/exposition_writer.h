#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bursar::statsd {

enum class ExpositionFormat : std::uint8_t { kPrometheusText, kOpenMetrics };

// Writes metric families as text, in the Prometheus text format 0.0.4 or OpenMetrics 1.0. Samples belong to the family that
// was begun last.
//
// Thread-safety: belongs to one thread. Allocates: as the text grows. Blocks: no.
class ExpositionWriter {
 public:
  // Appends to `text`, which has to outlive the writer.
  ExpositionWriter(std::string& text, ExpositionFormat format) : text_(text), format_(format) {}

  // `type` is "counter", "gauge", "summary" or "unknown". OpenMetrics calls a counter by its name without `_total`.
  void begin_family(std::string_view name, std::string_view type, std::string_view help);

  // `labels` as they stand between the braces, or empty.
  void sample(std::string_view name, std::string_view labels, double value);
  void sample(std::string_view name, std::string_view labels, std::uint64_t value);

  [[nodiscard]] ExpositionFormat format() const noexcept { return format_; }

 private:
  void append_series(std::string_view name, std::string_view labels);

  std::string& text_;
  ExpositionFormat format_;
};

// Appends `key="value"`, the value escaped, to the labels in `out`.
void append_label(std::string& out, std::string_view key, std::string_view value);

}  // namespace bursar::statsd
