#include <bursar/base/in_quotes.h>

#include <cstddef>

namespace bursar {

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kShownBytes = 64;
  constexpr std::string_view kHexDigits = "0123456789abcdef";

  std::string result = "\"";
  for (const char character : text.substr(0, kShownBytes)) {
    const auto byte = static_cast<unsigned char>(character);
    if (character == '"' || character == '\\') {
      result += '\\';
      result += character;
    } else if (byte >= 0x20 && byte < 0x7f) {
      result += character;
    } else {
      result += "\\x";
      result += kHexDigits[byte >> 4];
      result += kHexDigits[byte & 0xf];
    }
  }
  result += text.size() > kShownBytes ? "...\"" : "\"";
  return result;
}

}  // namespace bursar
