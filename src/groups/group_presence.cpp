#include <bursar/groups/group_presence.h>

#include <atomic>

#include "groups/account_list.h"
#include "groups/group_table.h"

namespace bursar::groups {

extern "C" {
BURSAR_PROCESS_WIDE std::atomic<std::uint64_t> bursar_1_foreign_blocks{0};
}

namespace {

void count(GroupIndex group, Counter GroupCell::* counter) noexcept {
  if (ThreadAccount* account = this_thread_account(); account != nullptr) [[likely]] {
    account->touch(group);
    (account->cell(group).*counter).add(1);
  } else {
    AccountList::shared().touch(group);
    (AccountList::shared().cell(group).*counter).add_shared(1);
  }
}

}  // namespace

GroupIndex come_in(ResourceGroupToken token) noexcept {
  // In this order: whoever takes the number away looks at both the other way round (see fence_all_threads).
  count(token.index(), &GroupCell::entries);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  if (group_table().is_current(token)) [[likely]] {
    return token.index();
  }
  count(token.index(), &GroupCell::exits);
  count(kRootIndex, &GroupCell::entries);
  group_table().count_stale_token();
  return kRootIndex;
}

void go_out(GroupIndex group) noexcept {
  count(group, &GroupCell::exits);
}

void count_foreign_block() noexcept {
  bursar_1_foreign_blocks.fetch_add(1, std::memory_order_relaxed);
}

std::uint64_t foreign_blocks() noexcept {
  return bursar_1_foreign_blocks.load(std::memory_order_relaxed);
}

}  // namespace bursar::groups
