#include <bursar/base/utf8.h>

#include <cstddef>

namespace bursar {
namespace {

struct Sequence {
  std::size_t length;
  bool valid;
};

// The sequence at the front of `text`, or the maximal part of one. Unicode Standard, table 3-7: the first byte tells
// the length and narrows what the second may be, which keeps out overlong forms, surrogates and what is over U+10FFFF.
Sequence first_sequence(std::string_view text) {
  const auto byte = [text](std::size_t index) { return static_cast<unsigned char>(text[index]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {1, true};

  std::size_t length = 0;
  unsigned char second_low = 0x80;
  unsigned char second_high = 0xbf;
  if (lead >= 0xc2 && lead <= 0xdf) {
    length = 2;
  } else if (lead >= 0xe0 && lead <= 0xef) {
    length = 3;
    if (lead == 0xe0) second_low = 0xa0;
    if (lead == 0xed) second_high = 0x9f;
  } else if (lead >= 0xf0 && lead <= 0xf4) {
    length = 4;
    if (lead == 0xf0) second_low = 0x90;
    if (lead == 0xf4) second_high = 0x8f;
  } else {
    return {1, false};
  }

  for (std::size_t index = 1; index < length; ++index) {
    const unsigned char low = index == 1 ? second_low : 0x80;
    const unsigned char high = index == 1 ? second_high : 0xbf;
    if (index == text.size() || byte(index) < low || byte(index) > high) return {index, false};
  }
  return {length, true};
}

}  // namespace

std::string to_valid_utf8(std::string_view text) {
  constexpr std::string_view kReplacement = "\xef\xbf\xbd";
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const Sequence sequence = first_sequence(text);
    result += sequence.valid ? text.substr(0, sequence.length) : kReplacement;
    text.remove_prefix(sequence.length);
  }
  return result;
}

}  // namespace bursar
