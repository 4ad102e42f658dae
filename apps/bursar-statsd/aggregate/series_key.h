#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/line_parser.h"

namespace bursar::statsd {

// Turns a metric's name and tags into the series that Prometheus will see. The key of a series is its text in the
// exposition up to, not including, the closing brace: `name{` or `name{a="1",b="2"`. Labels are sorted, so that the
// order of the tags does not matter. A tag without a colon gets the value "true"; a tag with an empty value is left
// out, since to Prometheus an empty label is no label; the values of a tag that comes more than once are joined by
// commas.
//
// Thread-safety: belongs to one thread. Allocates: when made, room for all that the parser lets pass. Blocks: no.
class SeriesKeyBuilder {
 public:
  explicit SeriesKeyBuilder(const ParserLimits& limits);

  // REQUIRES: no tag has an empty key. The views are valid until the next call.
  void build(std::string_view name, std::string_view tags);

  [[nodiscard]] std::string_view key() const noexcept { return key_; }
  [[nodiscard]] std::string_view metric_name() const noexcept { return std::string_view(key_).substr(0, name_bytes_); }
  // Whether two tags of the last series became the same label.
  [[nodiscard]] bool merged_tags() const noexcept { return merged_tags_; }

  // What the buffers are charged for.
  [[nodiscard]] std::size_t buffer_bytes() const noexcept;

 private:
  struct Label {
    std::size_t name_at;
    std::size_t name_bytes;
    std::string_view value;
  };

  void read_labels(std::string_view tags);
  void append_labels();
  [[nodiscard]] std::string_view label_name(const Label& label) const noexcept {
    return std::string_view(label_names_).substr(label.name_at, label.name_bytes);
  }

  std::string key_;
  std::string label_names_;
  std::vector<Label> labels_;
  std::size_t name_bytes_ = 0;
  bool merged_tags_ = false;
};

}  // namespace bursar::statsd
