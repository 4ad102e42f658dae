#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace bursar::blast {

enum class LineType : std::uint8_t { kCounter, kGauge, kSet, kTimer, kHistogram, kDistribution };

// The types as StatsD writes them, in the order of the enumeration.
inline constexpr std::array<std::string_view, 6> kTypeCodes = {"c", "g", "s", "ms", "h", "d"};

[[nodiscard]] constexpr std::string_view to_code(LineType type) noexcept {
  return kTypeCodes[static_cast<std::size_t>(type)];
}

[[nodiscard]] constexpr std::optional<LineType> type_of_code(std::string_view code) noexcept {
  for (std::size_t i = 0; i < kTypeCodes.size(); ++i) {
    if (kTypeCodes[i] == code) return static_cast<LineType>(i);
  }
  return std::nullopt;
}

}  // namespace bursar::blast
