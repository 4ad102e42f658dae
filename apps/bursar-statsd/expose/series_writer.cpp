#include "expose/series_writer.h"

#include <charconv>
#include <cmath>

namespace bursar::statsd {
namespace {

// Both formats escape backslash and newline; only OpenMetrics lets a quote be escaped too.
void append_help(std::string& text, std::string_view help, ExpositionFormat format) {
  for (const char c : help) {
    if (c == '\\') {
      text += "\\\\";
    } else if (c == '\n') {
      text += "\\n";
    } else if (c == '"' && format == ExpositionFormat::OpenMetrics) {
      text += "\\\"";
    } else {
      text += c;
    }
  }
}

void append_value(std::string& text, double value) {
  if (std::isnan(value)) {
    text += "NaN";
  } else if (std::isinf(value)) {
    text += value > 0 ? "+Inf" : "-Inf";
  } else {
    char digits[32];
    text.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  }
}

}  // namespace

void SeriesWriter::family(std::string_view name, std::string_view type, std::string_view help) {
  text_.append("# HELP ").append(name).append(" ");
  append_help(text_, help, format_);
  text_.append("\n# TYPE ").append(name).append(" ").append(type).append("\n");
}

void SeriesWriter::sample(std::string_view name, std::string_view labels, double value) {
  text_ += name;
  if (!labels.empty()) text_.append("{").append(labels).append("}");
  text_ += ' ';
  append_value(text_, value);
  text_ += '\n';
}

}  // namespace bursar::statsd
