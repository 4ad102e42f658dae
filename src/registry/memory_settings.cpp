#include <bursar/base/bytes.h>
#include <bursar/base/in_quotes.h>
#include <bursar/bounds/memory_grant.h>
#include <bursar/registry/memory_settings.h>

#include <stdlib.h>

#include <charconv>
#include <system_error>
#include <utility>

namespace bursar {
namespace {

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

// Finds each setting: in the code's value, else in the flag, else in the variable.
class Resolver {
 public:
  Resolver(const MemorySources& sources, BadVariable bad_variable, std::vector<std::string>& warnings)
      : sources_(sources), bad_variable_(bad_variable), warnings_(warnings) {}

  // Sets `value` where somebody gave one, and answers who.
  template <typename Stored, typename Given, typename Parse>
  std::expected<std::string, std::string> resolve(const std::optional<Given>& given,
                                                  const std::optional<std::string>& flag, const char* flag_name,
                                                  const char* variable, Parse parse, Stored& value) {
    if (given) {
      const Given& chosen = *given;
      value = chosen;
      return "the program";
    }
    if (flag) return take(*flag, flag_name, parse, value);
    const std::optional<std::string> text = sources_.environment(variable);
    if (!text || text->empty()) return std::string();
    auto source = take(*text, variable, parse, value);
    if (source || bad_variable_ == BadVariable::IsError) return source;
    warnings_.push_back(source.error() + "; going on as if it were not set");
    return std::string();
  }

 private:
  template <typename Stored, typename Parse>
  static std::expected<std::string, std::string> take(const std::string& text, const char* source, Parse parse,
                                                      Stored& value) {
    auto parsed = parse(text);
    if (!parsed) return std::unexpected(std::string(source) + ": " + parsed.error());
    value = *parsed;
    return std::string(source);
  }

  const MemorySources& sources_;
  BadVariable bad_variable_;
  std::vector<std::string>& warnings_;
};

void look_at_cgroups(const MemorySources& sources, MemorySettings& settings) {
  DetectedMemoryLimit detected = sources.detect();
  if (!settings.limit_bytes) {
    for (std::string& warning : detected.warnings) settings.warnings.push_back(std::move(warning));
    if (!detected.hard || detected.hard->bytes == 0) return;
    settings.limit_bytes = detected.hard->bytes;
    settings.limit_source = std::move(detected.hard->source);
    settings.limit_group = std::move(detected.hard->group);
  } else if (detected.hard && detected.hard->bytes < *settings.limit_bytes) {
    settings.warnings.push_back("the memory limit of " + format_bytes(*settings.limit_bytes) + " from " +
                                settings.limit_source + " is above the " + format_bytes(detected.hard->bytes) + " of " +
                                detected.hard->source + ", beyond which the kernel kills; it should be below");
  }
}

}  // namespace

std::string_view to_string(MemoryMode mode) noexcept {
  switch (mode) {
    case MemoryMode::Disabled:
      return "disabled";
    case MemoryMode::Permissive:
      return "permissive";
    case MemoryMode::Strict:
      return "strict";
  }
  return "unknown";
}

std::expected<MemoryMode, std::string> parse_memory_mode(std::string_view text) {
  for (const MemoryMode mode : {MemoryMode::Disabled, MemoryMode::Permissive, MemoryMode::Strict}) {
    if (text == to_string(mode)) return mode;
  }
  return std::unexpected(in_quotes(text) + " is no memory mode; expected disabled, permissive or strict");
}

MemorySources MemorySources::of_process(std::string system_root) {
  return {
      .environment = [](const char* name) -> std::optional<std::string> {
        const char* const value = ::secure_getenv(name);
        if (value == nullptr) return std::nullopt;
        return value;
      },
      .detect = [system_root = std::move(system_root)] { return detect_memory_limit({.system_root = system_root}); },
  };
}

std::expected<MemorySettings, std::string> resolve_memory_settings(const MemoryValues& values, const MemoryFlags& flags,
                                                                   const MemorySources& sources,
                                                                   BadVariable bad_variable) {
  MemorySettings settings;
  Resolver resolver(sources, bad_variable, settings.warnings);
  auto who = resolver.resolve(values.limit_bytes, flags.limit, "--memory-limit", "BURSAR_MEMORY_LIMIT", parse_limit,
                              settings.limit_bytes);
  if (who) settings.limit_source = *who;
  if (who) {
    who = resolver.resolve(values.slop_factor, flags.slop_factor, "--memory-slop-factor", "BURSAR_MEMORY_SLOP_FACTOR",
                           parse_slop_factor, settings.slop_factor);
  }
  if (who) {
    who = resolver.resolve(values.mode, flags.mode, "--memory-mode", "BURSAR_MEMORY_MODE", parse_memory_mode,
                           settings.mode);
  }
  if (who) {
    who = resolver.resolve(values.limiter, flags.limiter, "--limiter", "BURSAR_LIMITER", parse_limiter_mode,
                           settings.limiter);
  }
  if (!who) return std::unexpected(who.error());

  if (settings.mode == MemoryMode::Disabled) {
    settings.limiter = LimiterMode::Off;
  } else {
    look_at_cgroups(sources, settings);
  }
  return settings;
}

}  // namespace bursar
