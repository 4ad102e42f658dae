#include <bursar/base/process_wide.h>
#include <bursar/groups/start_token.h>

#include <utility>

namespace bursar::groups {

extern "C" {
BURSAR_PROCESS_WIDE thread_local std::optional<ResourceGroupToken> bursar_1_start_token{};
}

StartTokenScope::StartTokenScope(ResourceGroupToken token) noexcept
    : outer_(std::exchange(bursar_1_start_token, token)) {}

StartTokenScope::~StartTokenScope() {
  bursar_1_start_token = outer_;
}

std::optional<ResourceGroupToken> take_start_token() noexcept {
  return std::exchange(bursar_1_start_token, std::nullopt);
}

}  // namespace bursar::groups
