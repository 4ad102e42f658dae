#include "aggregate/prometheus_name.h"

#include <cstddef>

namespace bursar::statsd {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// The second and later bytes of a UTF-8 sequence: the first byte stands for the whole character.
bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

void append_name(std::string& out, std::string_view text, bool keeps_colons) {
  if (text.empty() || is_digit(text.front())) out += '_';
  for (const char c : text) {
    if (is_letter(c) || is_digit(c) || c == '_' || (keeps_colons && c == ':')) {
      out += c;
    } else if (!is_continuation(c)) {
      out += '_';
    }
  }
}

}  // namespace

void append_metric_name(std::string& out, std::string_view name) {
  append_name(out, name, true);
}

void append_label_name(std::string& out, std::string_view key) {
  const std::size_t start = out.size();
  append_name(out, key, false);
  const std::string_view name = std::string_view(out).substr(start);
  if (name == "le" || name == "quantile" || name.starts_with("__")) out.insert(start, "tag_");
}

void append_label_value(std::string& out, std::string_view value) {
  for (const char c : value) {
    switch (c) {
      case '\\':
        out += "\\\\";
        break;
      case '"':
        out += "\\\"";
        break;
      case '\n':
        out += "\\n";
        break;
      default:
        out += c;
    }
  }
}

}  // namespace bursar::statsd
