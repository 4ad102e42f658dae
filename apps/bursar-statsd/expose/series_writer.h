#pragma once

#include <string>
#include <string_view>

#include <bursar/report/exposition_format.h>

namespace bursar::statsd {

// Writes families whose labels are text already, as the keys of contexts are. Samples follow the head of their family.
//
// Thread-safety: belongs to one thread. Allocates: as the text grows. Blocks: no.
class SeriesWriter {
 public:
  // Appends to `text`, which has to outlive the writer.
  SeriesWriter(std::string& text, ExpositionFormat format) noexcept : text_(text), format_(format) {}

  void family(std::string_view name, std::string_view type, std::string_view help);

  // `labels` as they stand between the braces, or empty.
  void sample(std::string_view name, std::string_view labels, double value);

  [[nodiscard]] ExpositionFormat format() const noexcept { return format_; }

 private:
  std::string& text_;
  ExpositionFormat format_;
};

}  // namespace bursar::statsd
