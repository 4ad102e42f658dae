#pragma once

#include <string>
#include <string_view>

namespace bursar::statsd {

// Appends `name` as a valid Prometheus metric name: each character that is no ASCII letter, digit, '_' or ':' becomes
// one
// '_', and a leading digit gets a '_' in front. Different names may become the same.
void append_metric_name(std::string& out, std::string_view name);

// Appends `key` as a valid label name, in the same way except that ':' is replaced too. The names that Prometheus keeps
// to itself, `le`, `quantile` and all that start with `__`, get `tag_` in front.
void append_label_name(std::string& out, std::string_view key);

// Appends `value` as it stands between the quotes of a label: backslash, quote and newline escaped.
void append_label_value(std::string& out, std::string_view value);

}  // namespace bursar::statsd
