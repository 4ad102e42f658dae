#include "report/figure_text.h"

#include <bursar/base/bytes.h>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace bursar::report_detail {
namespace {

std::string fixed(double value, int decimals) {
  std::array<char, 64> digits{};
  const auto result =
      std::to_chars(digits.data(), digits.data() + digits.size(), value, std::chars_format::fixed, decimals);
  return result.ec == std::errc() ? std::string(digits.data(), result.ptr) : std::string("-");
}

// One decimal, left out where it is zero.
std::string short_decimal(double value) {
  std::string text = fixed(value, 1);
  if (text.ends_with(".0")) {
    text.resize(text.size() - 2);
  }
  return text;
}

}  // namespace

std::string grouped(std::uint64_t count) {
  std::string digits = std::to_string(count);
  for (std::size_t position = digits.size(); position > 3;) {
    position -= 3;
    digits.insert(position, 1, ',');
  }
  return digits;
}

std::string bound_text(std::size_t bytes) {
  return bytes == std::numeric_limits<std::size_t>::max() ? "overflow" : format_bytes(bytes);
}

std::string one_decimal(double value) {
  return fixed(value, value < 999.95 ? 1 : 0);
}

std::string percent(double share) {
  const double value = share * 100.0;
  return fixed(value, value < 9.95 ? 1 : 0) + " %";
}

std::string duration_text(std::int64_t nanos) {
  if (nanos == 0) {
    return "none";
  }
  const double value = static_cast<double>(nanos);
  if (value < 1e6) {
    return short_decimal(value / 1e3) + " us";
  }
  return value < 1e9 ? short_decimal(value / 1e6) + " ms" : short_decimal(value / 1e9) + " s";
}

}  // namespace bursar::report_detail
