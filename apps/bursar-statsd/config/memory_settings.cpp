#include "config/memory_settings.h"

#include <charconv>
#include <cstdlib>
#include <system_error>
#include <utility>

#include <bursar/base/bytes.h>
#include <bursar/base/in_quotes.h>
#include <bursar/bounds/memory_grant.h>

namespace bursar::statsd {
namespace {

// A setting as text, and who gave it.
struct GivenText {
  std::string text;
  std::string source;
};

std::optional<GivenText> find_setting(const std::optional<std::string>& flag, const char* flag_name,
                                      const char* variable, const MemorySources& sources) {
  if (flag) return GivenText{*flag, flag_name};
  std::optional<std::string> value = sources.environment(variable);
  if (!value || value->empty()) return std::nullopt;
  return GivenText{std::move(*value), variable};
}

std::expected<double, std::string> parse_slop_factor(std::string_view text) {
  double factor = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, factor);
  if (error != std::errc{} || stop != end || !(factor >= 0 && factor < 1)) {
    return std::unexpected(in_quotes(text) + " is no slop factor; expected a number from 0 up to, not including, 1");
  }
  return factor;
}

std::expected<std::uint64_t, std::string> parse_limit(std::string_view text) {
  const auto bytes = parse_bytes(text);
  if (!bytes) return bytes;
  if (*bytes == 0 || *bytes > MemoryGrant::kMaxInitialLimitBytes) {
    return std::unexpected(in_quotes(text) + " is no memory limit; expected from 1 B to " +
                           format_bytes(MemoryGrant::kMaxInitialLimitBytes));
  }
  return bytes;
}

// Sets `value` to what `parse` makes of the setting, if it was given. The error names who gave it.
template <typename Value, typename Parse>
std::expected<void, std::string> apply(const std::optional<GivenText>& given, Parse&& parse, Value& value) {
  if (!given) return {};
  auto parsed = parse(given->text);
  if (!parsed) return std::unexpected(given->source + ": " + parsed.error());
  value = *parsed;
  return {};
}

void detect_limit(const MemorySources& sources, MemorySettings& settings) {
  DetectedMemoryLimit detected = sources.detect();
  settings.warnings = std::move(detected.warnings);
  if (!detected.hard) return;
  settings.limit_bytes = detected.hard->bytes;
  settings.limit_source = std::move(detected.hard->source);
}

}  // namespace

std::string_view to_string(MemoryMode mode) noexcept {
  switch (mode) {
    case MemoryMode::kDisabled:
      return "disabled";
    case MemoryMode::kPermissive:
      return "permissive";
    case MemoryMode::kStrict:
      return "strict";
  }
  return "unknown";
}

std::expected<MemoryMode, std::string> parse_memory_mode(std::string_view text) {
  for (const MemoryMode mode : {MemoryMode::kDisabled, MemoryMode::kPermissive, MemoryMode::kStrict}) {
    if (text == to_string(mode)) return mode;
  }
  return std::unexpected(in_quotes(text) + " is no memory mode; expected disabled, permissive or strict");
}

MemorySources MemorySources::of_process() {
  return {
      .environment = [](const char* name) -> std::optional<std::string> {
        const char* value = std::getenv(name);
        if (value == nullptr) return std::nullopt;
        return value;
      },
      .detect = [] { return detect_memory_limit(); },
  };
}

std::expected<MemorySettings, std::string> resolve_memory_settings(const MemoryFlags& flags,
                                                                   const MemorySources& sources) {
  MemorySettings settings;
  const auto limit = find_setting(flags.limit, "--memory-limit", "BURSAR_MEMORY_LIMIT", sources);
  const auto slop = find_setting(flags.slop_factor, "--memory-slop-factor", "BURSAR_MEMORY_SLOP_FACTOR", sources);
  const auto mode = find_setting(flags.mode, "--memory-mode", "BURSAR_MEMORY_MODE", sources);
  const auto limiter = find_setting(flags.limiter, "--limiter", "BURSAR_LIMITER", sources);

  auto applied = apply(limit, parse_limit, settings.limit_bytes);
  if (applied) applied = apply(slop, parse_slop_factor, settings.slop_factor);
  if (applied) applied = apply(mode, parse_memory_mode, settings.mode);
  if (applied) applied = apply(limiter, parse_limiter_mode, settings.limiter);
  if (!applied) return std::unexpected(applied.error());

  if (limit) {
    settings.limit_source = limit->source;
  } else if (settings.mode != MemoryMode::kDisabled) {
    detect_limit(sources, settings);
  }
  if (settings.mode == MemoryMode::kDisabled) settings.limiter = LimiterMode::Off;
  return settings;
}

}  // namespace bursar::statsd
