#pragma once

#include <bursar/report/exposition_format.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace bursar {

// A label's value as it is shown: any bytes, of which those that are not valid UTF-8, and NULs, become U+FFFD. Values that
// come out alike make one series.
[[nodiscard]] std::string label_text(std::string_view value);

// Writes families of metrics as text. What belongs to a family follows it: HELP and TYPE, then its samples.
//
//   writer.family("bursar_limiter_waits_total", MetricType::Counter, "Waits that met pressure.");
//   writer.sample({}, limiter.waits_total());
//
// Thread-safety: belongs to one thread. Allocates: as the text grows. Blocks: no.
class ExpositionWriter {
 public:
  enum class MetricType : std::uint8_t { Counter, Gauge };

  struct Label {
    std::string_view name;
    std::string_view value;  // shown as `label_text` has it
  };

  // Appends to `text`, which outlives the writer.
  ExpositionWriter(std::string& text, ExpositionFormat format) noexcept : text_(text), format_(format) {}

  [[nodiscard]] ExpositionFormat format() const noexcept { return format_; }
  // For families that somebody else has written, in this format.
  [[nodiscard]] std::string& text() noexcept { return text_; }

  // REQUIRES: a valid name that no other family has; that of a counter ends in `_total`, and `unit` is what the rest of
  // the name ends in.
  void family(std::string_view name, MetricType type, std::string_view help, std::string_view unit = {});

  // Of the family that was begun last. REQUIRES: valid names of labels, and no other sample with the same ones.
  void sample(std::initializer_list<Label> labels, std::uint64_t value);
  void sample(std::initializer_list<Label> labels, double value);

  // After the last family: OpenMetrics has an end.
  void end();

 private:
  void series(std::initializer_list<Label> labels);

  std::string& text_;
  ExpositionFormat format_;
  std::string_view name_;
};

}  // namespace bursar
