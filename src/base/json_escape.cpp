#include <bursar/base/json_escape.h>
#include <bursar/base/utf8.h>

#include <cstddef>

namespace bursar {

std::string json_string(std::string_view text) {
  constexpr std::string_view kEscaped = "\"\\\b\f\n\r\t";
  constexpr std::string_view kShortNames = "\"\\bfnrt";
  constexpr std::string_view kHexDigits = "0123456789abcdef";

  std::string result = "\"";
  for (const char character : to_valid_utf8(text)) {
    const auto byte = static_cast<unsigned char>(character);
    if (const std::size_t index = kEscaped.find(character); index != std::string_view::npos) {
      result += '\\';
      result += kShortNames[index];
    } else if (byte < 0x20) {
      result += "\\u00";
      result += kHexDigits[byte >> 4];
      result += kHexDigits[byte & 0xf];
    } else {
      result += character;
    }
  }
  return result += '"';
}

}  // namespace bursar
