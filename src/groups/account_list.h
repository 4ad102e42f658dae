#pragma once

#include <bursar/groups/thread_account.h>

namespace bursar::groups {

// Every account that there is, in a list that only grows. The first is the one that threads share which cannot have one
// of their own.
//
// Thread-safety: any thread, and signal handlers. Allocates: no. Blocks: no.
class AccountList {
 public:
  [[nodiscard]] static ThreadAccount* first() noexcept { return head_.load(std::memory_order_acquire); }
  [[nodiscard]] static ThreadAccount& shared() noexcept { return shared_; }

  // An account for the calling thread: one whose thread has ended, or a new one. Null where memory cannot be mapped.
  [[nodiscard]] static ThreadAccount* take() noexcept;
  static void give_back(ThreadAccount& account) noexcept { account.end(); }

  // In a child just forked: the other threads are gone, and CPU time starts again from nothing.
  static void start_child(ThreadAccount* own) noexcept;

 private:
  static constinit ThreadAccount shared_;
  static constinit std::atomic<ThreadAccount*> head_;
};

// Calls `visit(const ThreadAccount&)` for each account.
template <typename Visit>
void for_each_account(Visit&& visit) {
  for (ThreadAccount* account = AccountList::first(); account != nullptr; account = account->next()) {
    visit(*account);
  }
}

}  // namespace bursar::groups
