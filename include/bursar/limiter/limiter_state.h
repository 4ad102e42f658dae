#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace bursar {

// How near the process is to its memory limit.
enum class LimiterState : std::uint8_t {
  Normal,  // room enough
  Soft,    // slow down
  Hard,    // take nothing on that can be refused
};

// "normal", "soft", "hard".
[[nodiscard]] constexpr std::string_view to_string(LimiterState state) noexcept {
  switch (state) {
    case LimiterState::Normal:
      return "normal";
    case LimiterState::Soft:
      return "soft";
    case LimiterState::Hard:
      return "hard";
  }
  return "unknown";
}

// What a limiter does with what it knows.
enum class LimiterMode : std::uint8_t {
  On,
  Off,      // no limiter: nothing is sensed, nothing waits
  Observe,  // senses, decides and counts as `On` does, but nothing waits and nothing is shed
};

// "on", "off", "observe".
[[nodiscard]] constexpr std::string_view to_string(LimiterMode mode) noexcept {
  switch (mode) {
    case LimiterMode::On:
      return "on";
    case LimiterMode::Off:
      return "off";
    case LimiterMode::Observe:
      return "observe";
  }
  return "unknown";
}

// The mode of that name, in lower case. The error is one line that quotes the text and says what would be right.
[[nodiscard]] std::expected<LimiterMode, std::string> parse_limiter_mode(std::string_view text);

}  // namespace bursar
