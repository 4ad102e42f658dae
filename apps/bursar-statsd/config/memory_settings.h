#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <bursar/limiter/detect_memory_limit.h>
#include <bursar/limiter/limiter_state.h>

namespace bursar::statsd {

enum class MemoryMode : std::uint8_t {
  kDisabled,    // bounds are not verified, nothing is limited
  kPermissive,  // bounds that do not fit are warned of
  kStrict,      // bounds that do not fit prevent the start
};

[[nodiscard]] std::string_view to_string(MemoryMode mode) noexcept;
[[nodiscard]] std::expected<MemoryMode, std::string> parse_memory_mode(std::string_view text);

// The flags about memory as they were given, if they were.
struct MemoryFlags {
  std::optional<std::string> limit = std::nullopt;
  std::optional<std::string> slop_factor = std::nullopt;
  std::optional<std::string> mode = std::nullopt;
  std::optional<std::string> limiter = std::nullopt;
};

struct MemorySettings {
  MemoryMode mode = MemoryMode::kPermissive;
  LimiterMode limiter = LimiterMode::On;
  double slop_factor = 0.25;
  std::optional<std::uint64_t> limit_bytes;  // none: nobody sets a limit
  std::string limit_source;                  // "--memory-limit", "BURSAR_MEMORY_LIMIT", or the file of a control group
  std::vector<std::string> warnings;         // about the control groups, one line each
};

// Where settings come from besides the flags; a test brings its own.
struct MemorySources {
  std::function<std::optional<std::string>(const char* name)> environment;
  std::function<DetectedMemoryLimit()> detect;

  [[nodiscard]] static MemorySources of_process();
};

// A flag wins over the environment (BURSAR_MEMORY_LIMIT, BURSAR_MEMORY_SLOP_FACTOR, BURSAR_MEMORY_MODE,
// BURSAR_LIMITER), that over what the control groups say, and that over the defaults. Control groups are asked only
// where nobody else gives a limit. The error is one line that names the flag or variable, its value and the right form.
[[nodiscard]] std::expected<MemorySettings, std::string> resolve_memory_settings(const MemoryFlags& flags,
                                                                                 const MemorySources& sources);

}  // namespace bursar::statsd
