#include "aggregate/series_key.h"

#include <algorithm>
#include <tuple>

#include <bursar/bounds/container_usage.h>

#include "aggregate/prometheus_name.h"

namespace bursar::statsd {
namespace {

// What a label adds to its tag at most: a prefix, the equals sign, two quotes and a comma, or the value "true".
constexpr std::size_t kLabelExtraBytes = 16;

}  // namespace

// A character grows to two bytes at most, when it is escaped.
SeriesKeyBuilder::SeriesKeyBuilder(const ParserLimits& limits) {
  key_.reserve(2 * limits.max_line_bytes + kLabelExtraBytes * limits.max_tags);
  label_names_.reserve(limits.max_line_bytes + kLabelExtraBytes * limits.max_tags);
  labels_.reserve(limits.max_tags);
}

std::size_t SeriesKeyBuilder::buffer_bytes() const noexcept {
  return charged_block_bytes(key_.capacity() + 1) + charged_block_bytes(label_names_.capacity() + 1) +
         charged_block_bytes(labels_.capacity() * sizeof(Label));
}

void SeriesKeyBuilder::build(std::string_view name, std::string_view tags) {
  key_.clear();
  append_metric_name(key_, name);
  name_bytes_ = key_.size();
  key_ += '{';
  merged_tags_ = false;
  read_labels(tags);
  append_labels();
}

void SeriesKeyBuilder::read_labels(std::string_view tags) {
  label_names_.clear();
  labels_.clear();
  while (!tags.empty()) {
    const std::size_t comma = tags.find(',');
    const std::string_view tag = tags.substr(0, comma);
    tags = comma == std::string_view::npos ? std::string_view{} : tags.substr(comma + 1);
    const std::size_t colon = tag.find(':');
    const std::string_view value = colon == std::string_view::npos ? "true" : tag.substr(colon + 1);
    if (tag.empty() || value.empty()) continue;
    const std::size_t name_at = label_names_.size();
    append_label_name(label_names_, tag.substr(0, colon));
    labels_.push_back({name_at, label_names_.size() - name_at, value});
  }
}

void SeriesKeyBuilder::append_labels() {
  std::ranges::sort(labels_, [this](const Label& left, const Label& right) {
    return std::tuple(label_name(left), left.value) < std::tuple(label_name(right), right.value);
  });
  const Label* previous = nullptr;
  for (const Label& label : labels_) {
    const bool is_repeated = previous != nullptr && label_name(*previous) == label_name(label);
    if (is_repeated) {
      merged_tags_ = true;
      if (previous->value == label.value) continue;
      key_.back() = ',';  // in place of the closing quote
    } else {
      if (previous != nullptr) key_ += ',';
      key_ += label_name(label);
      key_ += "=\"";
    }
    append_label_value(key_, label.value);
    key_ += '"';
    previous = &label;
  }
}

}  // namespace bursar::statsd
