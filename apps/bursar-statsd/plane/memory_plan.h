#pragma once

#include <expected>
#include <optional>
#include <string>

#include <bursar/bounds/memory_grant.h>
#include <bursar/limiter/memory_limiter.h>
#include <bursar/registry/component_registry.h>

#include "config/memory_settings.h"

namespace bursar::statsd {

// What the process may use, and who watches over it.
struct MemoryPlan {
  std::optional<MemoryGrant> grant;  // none: nobody sets a limit, or the mode is disabled
  MemoryLimiter limiter = MemoryLimiter::noop();
};

// Compares what the components have declared with what is granted, and logs both: the tree with each one's minimum,
// firm limit and share. Bounds that do not fit are an error in strict mode and a warning in permissive mode; the same
// goes for a limiter that cannot measure. The error is one line with the numbers.
[[nodiscard]] std::expected<MemoryPlan, std::string> plan_memory(const MemorySettings& settings,
                                                                 const ComponentRegistryHandle& components);

}  // namespace bursar::statsd
