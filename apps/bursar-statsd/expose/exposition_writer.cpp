#include "expose/exposition_writer.h"

#include <charconv>
#include <cmath>

#include "aggregate/prometheus_name.h"

namespace bursar::statsd {
namespace {

constexpr std::string_view kTotal = "_total";

template <typename Number>
void append_number(std::string& out, Number value) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  out.append(digits, end);
}

// Both formats escape backslash and newline; only OpenMetrics lets a quote be escaped too.
void append_help(std::string& out, std::string_view help, ExpositionFormat format) {
  for (const char c : help) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && format == ExpositionFormat::kOpenMetrics) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
}

}  // namespace

void ExpositionWriter::begin_family(std::string_view name, std::string_view type, std::string_view help) {
  if (format_ == ExpositionFormat::kOpenMetrics && type == "counter" && name.ends_with(kTotal)) {
    name.remove_suffix(kTotal.size());
  }
  text_.append("# HELP ").append(name).append(" ");
  append_help(text_, help, format_);
  text_.append("\n# TYPE ").append(name).append(" ").append(type).append("\n");
}

void ExpositionWriter::append_series(std::string_view name, std::string_view labels) {
  text_ += name;
  if (!labels.empty()) text_.append("{").append(labels).append("}");
  text_ += ' ';
}

void ExpositionWriter::sample(std::string_view name, std::string_view labels, double value) {
  append_series(name, labels);
  if (std::isnan(value)) {
    text_ += "NaN";
  } else if (std::isinf(value)) {
    text_ += value > 0 ? "+Inf" : "-Inf";
  } else {
    append_number(text_, value);
  }
  text_ += '\n';
}

void ExpositionWriter::sample(std::string_view name, std::string_view labels, std::uint64_t value) {
  append_series(name, labels);
  append_number(text_, value);
  text_ += '\n';
}

void append_label(std::string& out, std::string_view key, std::string_view value) {
  if (!out.empty()) out += ',';
  out.append(key).append("=\"");
  append_label_value(out, value);
  out += '"';
}

}  // namespace bursar::statsd
