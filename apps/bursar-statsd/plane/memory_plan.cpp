#include "plane/memory_plan.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include <bursar/base/bytes.h>
#include <bursar/report/bounds_tree.h>

#include "log/log.h"

namespace bursar::statsd {
namespace {

void log_tree(const ComponentRegistryHandle& components, const std::optional<MemoryGrant>& grant) {
  log(LogLevel::kInfo, "memory bounds of the components, each one's own:");
  for (const std::string& line : render_bounds_tree(components.as_bounds(), grant)) log(LogLevel::kInfo, "  " + line);
}

// What is wrong prevents the start in strict mode, and is warned of otherwise.
std::expected<void, std::string> complain(MemoryMode mode, const std::string& message) {
  if (mode == MemoryMode::kStrict) return std::unexpected(message);
  log(LogLevel::kWarning, message + "; going on, since the memory mode is permissive");
  return {};
}

std::expected<void, std::string> verify(const MemorySettings& settings, const MemoryGrant& grant,
                                        const ComponentRegistryHandle& components) {
  const auto verified = components.verify_bounds(grant);
  if (!verified) return complain(settings.mode, verified.error().message());
  log(LogLevel::kInfo,
      fmt::format("the bounds fit: at least {}, at most {}, of {} granted",
                  format_bytes(verified->total_minimum_required_bytes()),
                  format_bytes(verified->total_firm_limit_bytes()), format_bytes(verified->total_available_bytes())));
  return {};
}

std::expected<void, std::string> start_limiter(const MemorySettings& settings, MemoryPlan& plan) {
  if (settings.limiter == LimiterMode::Off) {
    log(LogLevel::kInfo, "the limiter is off");
    return {};
  }
  MemoryLimiterOptions options;
  options.mode = settings.limiter;
  auto limiter = MemoryLimiter::create(*plan.grant, std::move(options));
  if (!limiter) return complain(settings.mode, "no memory limiter: " + limiter.error().message());
  plan.limiter = std::move(*limiter);
  return {};
}

}  // namespace

std::expected<MemoryPlan, std::string> plan_memory(const MemorySettings& settings,
                                                   const ComponentRegistryHandle& components) {
  MemoryPlan plan;
  for (const std::string& warning : settings.warnings) log(LogLevel::kWarning, warning);
  if (settings.mode == MemoryMode::kDisabled) {
    log(LogLevel::kInfo, "memory mode disabled: bounds are not verified, the limiter is off");
    return plan;
  }
  if (!settings.limit_bytes) {
    log_tree(components, std::nullopt);
    log(LogLevel::kInfo,
        "no memory limit from --memory-limit, BURSAR_MEMORY_LIMIT or a control group: going on without a limiter");
    return plan;
  }
  const auto grant = MemoryGrant::with_slop_factor(*settings.limit_bytes, settings.slop_factor);
  if (!grant) return std::unexpected(settings.limit_source + ": " + grant.error().message);
  plan.grant = *grant;
  log(LogLevel::kInfo, fmt::format("memory limit {} from {}; {} of it are granted, the slop factor being {}",
                                   format_bytes(grant->initial_limit_bytes()), settings.limit_source,
                                   format_bytes(grant->effective_limit_bytes()), grant->slop_factor()));
  log_tree(components, plan.grant);
  if (const auto fits = verify(settings, *grant, components); !fits) return std::unexpected(fits.error());
  if (const auto started = start_limiter(settings, plan); !started) return std::unexpected(started.error());
  return plan;
}

}  // namespace bursar::statsd
