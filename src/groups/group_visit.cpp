#include <bursar/groups/group_presence.h>
#include <bursar/groups/group_visit.h>
#include <bursar/groups/thread_account.h>

#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace bursar::groups {

GroupVisit GroupVisit::enter(ResourceGroupToken token) noexcept {
  GroupVisit visit;
  visit.account_ = this_thread_account();
  if (visit.account_ == nullptr) return visit;
  visit.entered_ = come_in(token);
  visit.previous_ = visit.account_->current();
  visit.life_ = visit.account_->life();
  visit.place_ = visit.account_->push_guard();
  visit.account_->switch_to(visit.entered_);
  return visit;
}

void GroupVisit::leave() noexcept {
  if (account_ == nullptr) return;
  if (account_ == internal::bursar_1_this_thread && account_->is_innermost(life_, place_)) [[likely]] {
    account_->switch_to(account_->pop_guard(place_, previous_));
  } else {
    leave_out_of_order();
  }
  go_out(entered_);
}

void GroupVisit::leave_out_of_order() noexcept {
#ifndef NDEBUG
  constexpr std::string_view kOtherThread =
      "bursar: a ResourceTrackingGuard ended on another thread than the one that made it\n";
  constexpr std::string_view kOutOfOrder =
      "bursar: a ResourceTrackingGuard ended before one that was made after it on the same thread\n";
  const std::string_view message =
      account_ == internal::bursar_1_this_thread && account_->life() == life_ ? kOutOfOrder : kOtherThread;
  [[maybe_unused]] const auto written = write(STDERR_FILENO, message.data(), message.size());
  std::abort();
#else
  account_->mark_guard_ended(life_, place_, previous_);
#endif
}

}  // namespace bursar::groups
