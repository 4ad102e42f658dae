#pragma once

#include <bursar/limiter/detect_memory_limit.h>
#include <bursar/limiter/limiter_state.h>

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bursar {

enum class MemoryMode : std::uint8_t {
  Disabled,    // bounds are not verified, nothing is limited
  Permissive,  // bounds that do not fit are warned of
  Strict,      // bounds that do not fit prevent the start
};

// "disabled", "permissive", "strict".
[[nodiscard]] std::string_view to_string(MemoryMode mode) noexcept;
[[nodiscard]] std::expected<MemoryMode, std::string> parse_memory_mode(std::string_view text);

// What a program's own code decides; the rest is left to its flags, the environment and the control groups.
struct MemoryValues {
  std::optional<std::uint64_t> limit_bytes = std::nullopt;
  std::optional<double> slop_factor = std::nullopt;
  std::optional<MemoryMode> mode = std::nullopt;
  std::optional<LimiterMode> limiter = std::nullopt;
};

// The flags --memory-limit, --memory-slop-factor, --memory-mode and --limiter as they were given, if they were.
struct MemoryFlags {
  std::optional<std::string> limit = std::nullopt;
  std::optional<std::string> slop_factor = std::nullopt;
  std::optional<std::string> mode = std::nullopt;
  std::optional<std::string> limiter = std::nullopt;
};

// Whose program it is: what a bad value in the environment means.
enum class BadVariable : std::uint8_t {
  IsError,          // the program asked for these variables: it should not start
  TakesTheDefault,  // the program is somebody else's, and only warns
};

// How a program keeps to its memory.
struct MemorySettings {
  static constexpr double kDefaultSlopFactor = 0.25;

  MemoryMode mode = MemoryMode::Permissive;
  LimiterMode limiter = LimiterMode::On;
  double slop_factor = kDefaultSlopFactor;
  std::optional<std::uint64_t> limit_bytes;  // none: nobody sets a limit
  std::string limit_source;                  // "--memory-limit", "BURSAR_MEMORY_LIMIT", or the file of a control group
  // The control group whose limit it is, where it is one's.
  std::optional<CgroupPlace> limit_group;
  std::vector<std::string> warnings;  // about bad variables and the control groups, one line each
};

// Where settings come from besides code and flags; a test brings its own.
struct MemorySources {
  std::function<std::optional<std::string>(const char* name)> environment;
  std::function<DetectedMemoryLimit()> detect;

  // The environment is not asked where the program runs with more rights than its caller. `system_root` stands before
  // "/proc" and "/sys".
  [[nodiscard]] static MemorySources of_process(std::string system_root = "");
};

// Code wins over flags, those over the environment (BURSAR_MEMORY_LIMIT, BURSAR_MEMORY_SLOP_FACTOR, BURSAR_MEMORY_MODE,
// BURSAR_LIMITER), that over what the control groups say, and that over the defaults. A control group with a limit below
// the one that was given is warned of. The error is one line that names the flag or variable, its value and the right
// form.
//
// Thread-safety: as its sources. Allocates: yes. Blocks: as its sources.
[[nodiscard]] std::expected<MemorySettings, std::string> resolve_memory_settings(
    const MemoryValues& values, const MemoryFlags& flags, const MemorySources& sources,
    BadVariable bad_variable = BadVariable::IsError);

}  // namespace bursar
