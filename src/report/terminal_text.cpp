#include "report/terminal_text.h"

#include <bursar/base/utf8.h>

#include <algorithm>
#include <array>

namespace bursar::report_detail {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

// East Asian wide and emoji, by block (Unicode Standard Annex 11).
constexpr std::array<Range, 13> kWide = {{{0x1100, 0x115f},
                                          {0x2e80, 0x303e},
                                          {0x3041, 0x33ff},
                                          {0x3400, 0x4dbf},
                                          {0x4e00, 0x9fff},
                                          {0xa000, 0xa4cf},
                                          {0xac00, 0xd7a3},
                                          {0xf900, 0xfaff},
                                          {0xfe30, 0xfe6f},
                                          {0xff00, 0xff60},
                                          {0xffe0, 0xffe6},
                                          {0x1f300, 0x1faff},
                                          {0x20000, 0x3fffd}}};

// Marks of no width, joiners and changes of direction: they would make a column lie, or a name look like another.
constexpr std::array<Range, 8> kInvisible = {{{0x0300, 0x036f},
                                              {0x061c, 0x061c},
                                              {0x180e, 0x180e},
                                              {0x200b, 0x200f},
                                              {0x2028, 0x202e},
                                              {0x2060, 0x206f},
                                              {0xfe00, 0xfe0f},
                                              {0xfeff, 0xfeff}}};

template <std::size_t Size>
bool contains(const std::array<Range, Size>& ranges, char32_t character) noexcept {
  return std::ranges::any_of(
      ranges, [character](const Range& range) { return character >= range.first && character <= range.last; });
}

struct Decoded {
  char32_t character;
  std::size_t bytes;
};

// REQUIRES: valid UTF-8, not empty.
Decoded decode(std::string_view text) noexcept {
  const auto byte = [&](std::size_t index) { return char32_t{static_cast<unsigned char>(text[index])}; };
  if (byte(0) < 0x80) {
    return {byte(0), 1};
  }
  if (byte(0) < 0xe0) {
    return {((byte(0) & 0x1f) << 6) | (byte(1) & 0x3f), 2};
  }
  if (byte(0) < 0xf0) {
    return {((byte(0) & 0x0f) << 12) | ((byte(1) & 0x3f) << 6) | (byte(2) & 0x3f), 3};
  }
  return {((byte(0) & 0x07) << 18) | ((byte(1) & 0x3f) << 12) | ((byte(2) & 0x3f) << 6) | (byte(3) & 0x3f), 4};
}

std::size_t columns_of(char32_t character) noexcept {
  return contains(kWide, character) ? 2 : 1;
}

void append_hex(std::string& text, char32_t byte) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  text += "\\x";
  text += kDigits[(byte >> 4) & 0xf];
  text += kDigits[byte & 0xf];
}

}  // namespace

std::string terminal_text(std::string_view text) {
  const std::string valid = to_valid_utf8(text);
  std::string shown;
  for (std::string_view rest = valid; !rest.empty();) {
    const auto [character, bytes] = decode(rest);
    if (character < 0x20 || (character >= 0x7f && character < 0xa0)) {
      append_hex(shown, character);
    } else if (contains(kInvisible, character)) {
      shown += "\uFFFD";
    } else {
      shown += rest.substr(0, bytes);
    }
    rest.remove_prefix(bytes);
  }
  return shown;
}

std::size_t columns_of(std::string_view text) noexcept {
  std::size_t columns = 0;
  while (!text.empty()) {
    const auto [character, bytes] = decode(text);
    columns += columns_of(character);
    text.remove_prefix(bytes);
  }
  return columns;
}

std::string fit_into(std::string_view text, std::size_t columns) {
  if (columns_of(text) <= columns) {
    return std::string(text);
  }
  if (columns == 0) {
    return {};
  }
  std::string cut;
  std::size_t taken = 1;  // the ellipsis
  for (;;) {
    const auto [character, bytes] = decode(text);
    taken += columns_of(character);
    if (taken > columns) {
      return cut + "…";
    }
    cut += text.substr(0, bytes);
    text.remove_prefix(bytes);
  }
}

}  // namespace bursar::report_detail
