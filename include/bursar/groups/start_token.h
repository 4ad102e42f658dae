#pragma once

#include <bursar/groups/resource_group_token.h>

#include <optional>

namespace bursar::groups {

// While it lives, the next coroutine that this thread starts belongs to the token's group: how a Tracked awaitable
// tells a coroutine that it sees only as a handle.
//
// Thread-safety: belongs to one thread. Allocates: no. Blocks: no.
class [[nodiscard]] StartTokenScope {
 public:
  [[nodiscard]] explicit StartTokenScope(ResourceGroupToken token) noexcept;
  ~StartTokenScope();
  StartTokenScope(const StartTokenScope&) = delete;
  StartTokenScope& operator=(const StartTokenScope&) = delete;

 private:
  std::optional<ResourceGroupToken> outer_;
};

// The token that was set and that no coroutine has taken yet.
[[nodiscard]] std::optional<ResourceGroupToken> take_start_token() noexcept;

}  // namespace bursar::groups
