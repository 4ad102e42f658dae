#pragma once

#include <bursar/base/process_wide.h>
#include <bursar/groups/thread_account.h>

#include <atomic>

namespace bursar::groups {

extern "C" {
BURSAR_PROCESS_WIDE ThreadAccount bursar_1_shared_account{};
BURSAR_PROCESS_WIDE std::atomic<ThreadAccount*> bursar_1_account_list{&bursar_1_shared_account};
// With how many accounts in use it is looked again whether all their threads are alive.
BURSAR_PROCESS_WIDE std::atomic<std::size_t> bursar_1_next_search{0};
}

// Every account that there is, in a list that only grows. The first is the one that threads share which cannot have one
// of their own.
//
// Thread-safety: any thread, and signal handlers. Allocates: no. Blocks: no.
class AccountList {
 public:
  [[nodiscard]] static ThreadAccount* first() noexcept { return bursar_1_account_list.load(std::memory_order_acquire); }
  [[nodiscard]] static ThreadAccount& shared() noexcept { return bursar_1_shared_account; }

  // An account for the calling thread: one whose thread has ended, or a new one. Null where memory cannot be mapped.
  [[nodiscard]] static ThreadAccount* take() noexcept;
  static void give_back(ThreadAccount& account) noexcept { account.end(); }

  // In a child just forked: the other threads are gone, and CPU time starts again from nothing.
  static void start_child(ThreadAccount* own) noexcept;

 private:
  [[nodiscard]] static bool free_accounts_of_dead_threads() noexcept;
};

// Calls `visit(const ThreadAccount&)` for each account.
template <typename Visit>
void for_each_account(Visit&& visit) {
  for (ThreadAccount* account = AccountList::first(); account != nullptr; account = account->next()) {
    visit(*account);
  }
}

}  // namespace bursar::groups
