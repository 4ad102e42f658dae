#include <bursar/groups/start_token.h>

#include <utility>

namespace bursar::groups {
namespace {

constinit thread_local std::optional<ResourceGroupToken> start_token;

}  // namespace

StartTokenScope::StartTokenScope(ResourceGroupToken token) noexcept : outer_(std::exchange(start_token, token)) {}

StartTokenScope::~StartTokenScope() {
  start_token = outer_;
}

std::optional<ResourceGroupToken> take_start_token() noexcept {
  return std::exchange(start_token, std::nullopt);
}

}  // namespace bursar::groups
