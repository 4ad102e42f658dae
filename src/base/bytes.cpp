#include <bursar/base/bytes.h>
#include <bursar/base/in_quotes.h>

#include <array>
#include <cstddef>
#include <limits>
#include <optional>
#include <ranges>

namespace bursar {
namespace {

constexpr std::uint64_t kMaxBytes = std::numeric_limits<std::uint64_t>::max();

constexpr bool is_digit(char character) {
  return character >= '0' && character <= '9';
}
constexpr bool is_space(char character) {
  return character == ' ' || (character >= '\t' && character <= '\r');
}
constexpr char to_lower(char character) {
  return character >= 'A' && character <= 'Z' ? static_cast<char>(character - 'A' + 'a') : character;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// Takes the digits at the front off `text`.
std::string_view take_digits(std::string_view& text) {
  std::size_t length = 0;
  while (length < text.size() && is_digit(text[length])) ++length;
  const std::string_view digits = text.substr(0, length);
  text.remove_prefix(length);
  return digits;
}

// How many bytes the unit `text` stands for.
std::optional<std::uint64_t> unit_size(std::string_view text) {
  std::string unit;
  for (const char character : text) unit += to_lower(character);
  if (unit.empty() || unit == "b") return 1;

  constexpr std::string_view kPrefixes = "kmgtpe";
  const std::size_t exponent = kPrefixes.find(unit.front());
  if (exponent == std::string_view::npos) return std::nullopt;
  const std::string_view suffix = std::string_view(unit).substr(1);
  std::uint64_t base = 1024;
  if (suffix == "b") {
    base = 1000;
  } else if (!suffix.empty() && suffix != "i" && suffix != "ib") {
    return std::nullopt;
  }
  std::uint64_t size = base;
  for (std::size_t step = 0; step < exponent; ++step) size *= base;
  return size;
}

std::optional<std::uint64_t> checked_sum(std::uint64_t left, std::uint64_t right) {
  return left > kMaxBytes - right ? std::nullopt : std::optional(left + right);
}

// The number `digits` times `unit`.
std::optional<std::uint64_t> whole_units(std::string_view digits, std::uint64_t unit) {
  std::uint64_t number = 0;
  for (const char digit : digits) {
    const auto value = static_cast<std::uint64_t>(digit - '0');
    if (number > (kMaxBytes - value) / 10) return std::nullopt;
    number = number * 10 + value;
  }
  if (number > kMaxBytes / unit) return std::nullopt;
  return number * unit;
}

// The fraction 0.`digits` of `unit`, rounded down. From the last digit to the first, so that it is exact however many
// digits there are: the floor of ((floor of x) + d * unit) / 10 is the floor of (x + d * unit) / 10.
std::uint64_t fraction_of(std::string_view digits, std::uint64_t unit) {
  std::uint64_t result = 0;
  for (const char digit : digits | std::views::reverse) {
    result = (result + static_cast<std::uint64_t>(digit - '0') * unit) / 10;
  }
  return result;
}

}  // namespace

std::string format_bytes(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 7> kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};

  std::size_t exponent = 0;
  while (exponent + 1 < kUnits.size() && (bytes >> (10 * exponent)) >= 1024) ++exponent;
  const std::uint64_t unit = std::uint64_t{1} << (10 * exponent);
  std::uint64_t whole = bytes / unit;
  std::uint64_t tenths = (bytes % unit * 10 + unit / 2) / unit;
  if (tenths == 10) {
    ++whole;
    tenths = 0;
    if (whole == 1024 && exponent + 1 < kUnits.size()) {
      whole = 1;
      ++exponent;
    }
  }

  std::string result = std::to_string(whole);
  if (tenths != 0) result.append(".").append(std::to_string(tenths));
  return result.append(" ").append(kUnits[exponent]);
}

std::expected<std::uint64_t, std::string> parse_bytes(std::string_view text) {
  const auto malformed = [text] {
    return std::unexpected(in_quotes(text) +
                           " is not an amount of bytes: write a number and a unit or none, such as 1024, 64MiB, 1.5G "
                           "(powers of 1024) or 1GB (powers of 1000)");
  };

  std::string_view rest = trimmed(text);
  const std::string_view digits = take_digits(rest);
  std::string_view fraction;
  if (digits.empty()) return malformed();
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    fraction = take_digits(rest);
    if (fraction.empty()) return malformed();
  }
  const std::optional<std::uint64_t> unit = unit_size(trimmed(rest));
  if (!unit) return malformed();
  if (*unit == 1 && !fraction.empty()) return malformed();

  const std::optional<std::uint64_t> bytes = whole_units(digits, *unit).and_then([&](std::uint64_t whole) {
    return checked_sum(whole, fraction_of(fraction, *unit));
  });
  if (!bytes) {
    return std::unexpected(in_quotes(text) + " is too much: the largest amount is " + std::to_string(kMaxBytes) +
                           " bytes, just under " + format_bytes(kMaxBytes));
  }
  return *bytes;
}

}  // namespace bursar
