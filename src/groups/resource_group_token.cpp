#include <bursar/groups/resource_group_token.h>

#include <unistd.h>

#include <cstdlib>

#include <bursar/groups/group_presence.h>
#include <bursar/groups/thread_account.h>

#include "groups/group_table.h"

namespace bursar {

using groups::group_table;

ResourceGroupToken ResourceGroupToken::current() noexcept {
  const groups::ThreadAccount* account = groups::this_thread_account();
  return account == nullptr ? root() : group_table().token_of(account->current());
}

std::string_view ResourceGroupToken::name() const noexcept {
  return group_table().name_of(*this);
}

ResourceStats ResourceGroupToken::stats() const noexcept {
  return ResourceStats(group_table().is_current(*this) ? group_table().usage_of(index_)
                                                       : ResourceStatsSnapshot::empty());
}

std::uint64_t ResourceGroupToken::peak_live_bytes() const noexcept {
  return group_table().is_current(*this) ? group_table().peak_live_bytes(index_) : 0;
}

ResourceTrackingGuard::ResourceTrackingGuard(ResourceGroupToken token) noexcept
    : account_(groups::this_thread_account()) {
  if (account_ == nullptr) return;
  entered_ = groups::come_in(token);
  previous_ = account_->current();
  place_ = account_->push_guard();
  account_->switch_to(entered_);
}

ResourceTrackingGuard::~ResourceTrackingGuard() {
  if (account_ == nullptr) return;
  if (account_ == groups::internal::this_thread && account_->is_innermost(place_)) [[likely]] {
    account_->switch_to(account_->pop_guard(place_, previous_));
  } else {
    end_out_of_order();
  }
  groups::go_out(entered_);
}

void ResourceTrackingGuard::end_out_of_order() noexcept {
#ifndef NDEBUG
  constexpr std::string_view kOtherThread =
      "bursar: a ResourceTrackingGuard ended on another thread than the one that made it\n";
  constexpr std::string_view kOutOfOrder =
      "bursar: a ResourceTrackingGuard ended before one that was made after it on the same thread\n";
  const std::string_view message = account_ == groups::internal::this_thread ? kOutOfOrder : kOtherThread;
  [[maybe_unused]] const auto written = write(STDERR_FILENO, message.data(), message.size());
  std::abort();
#else
  account_->mark_guard_ended(place_, previous_);
#endif
}

}  // namespace bursar
