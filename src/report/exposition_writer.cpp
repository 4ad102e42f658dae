#include <bursar/report/exposition_writer.h>

#include <bursar/base/utf8.h>

#include <array>
#include <cassert>
#include <charconv>
#include <cmath>

namespace bursar {
namespace {

constexpr std::string_view kTotal = "_total";

template <typename Number>
void append_number(std::string& text, Number number) {
  std::array<char, 32> digits{};
  const auto result = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  text.append(digits.data(), result.ptr);
}

void append_escaped(std::string& text, std::string_view value) {
  for (const char character : value) {
    switch (character) {
      case '\\':
        text += "\\\\";
        break;
      case '"':
        text += "\\\"";
        break;
      case '\n':
        text += "\\n";
        break;
      default:
        text += character;
    }
  }
}

}  // namespace

std::string label_text(std::string_view value) {
  std::string text = to_valid_utf8(value);
  // Some parsers take it for the end of the text.
  for (std::size_t at = 0; (at = text.find('\0', at)) != std::string::npos;) text.replace(at, 1, "\uFFFD");
  return text;
}

void ExpositionWriter::family(std::string_view name, MetricType type, std::string_view help, std::string_view unit) {
  assert((type == MetricType::Counter) == name.ends_with(kTotal));
  name_ = name;
  const bool open_metrics = format_ == ExpositionFormat::OpenMetrics;
  // In OpenMetrics `_total` is a part of the counter's sample, not of its name.
  if (open_metrics && type == MetricType::Counter) {
    name.remove_suffix(kTotal.size());
  }
  text_.append("# HELP ").append(name).append(" ").append(help).append("\n");
  text_.append("# TYPE ").append(name).append(type == MetricType::Counter ? " counter\n" : " gauge\n");
  if (open_metrics && !unit.empty()) {
    assert(name.ends_with(unit));
    text_.append("# UNIT ").append(name).append(" ").append(unit).append("\n");
  }
}

void ExpositionWriter::sample(std::initializer_list<Label> labels, std::uint64_t value) {
  series(labels);
  append_number(text_, value);
  text_ += '\n';
}

void ExpositionWriter::sample(std::initializer_list<Label> labels, double value) {
  series(labels);
  if (std::isnan(value)) {
    text_ += "NaN";
  } else if (std::isinf(value)) {
    text_ += value > 0 ? "+Inf" : "-Inf";
  } else {
    append_number(text_, value);
  }
  text_ += '\n';
}

void ExpositionWriter::end() {
  if (format_ == ExpositionFormat::OpenMetrics) {
    text_ += "# EOF\n";
  }
}

void ExpositionWriter::series(std::initializer_list<Label> labels) {
  text_ += name_;
  char separator = '{';
  for (const Label& label : labels) {
    text_ += separator;
    separator = ',';
    text_.append(label.name).append("=\"");
    append_escaped(text_, label_text(label.value));
    text_ += '"';
  }
  if (labels.size() != 0) {
    text_ += '}';
  }
  text_ += ' ';
}

}  // namespace bursar
