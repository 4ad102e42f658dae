#include "groups/group_peaks.h"

#include <bursar/groups/thread_account.h>

#include <algorithm>

#include "groups/account_list.h"

namespace bursar::groups {
namespace {

// By how much the threads of a group together may pass the peak unseen: each by the first, or all by that share of it.
constexpr std::uint64_t kSmallestStepBytes = std::uint64_t{16} << 10;
constexpr std::uint64_t kShare = 128;

}  // namespace

std::uint64_t GroupPeaks::look(GroupIndex group) noexcept {
  // Releases are read last, so that the sum is never more than what was really live, and a peak never invented.
  std::uint64_t allocated = 0;
  std::uint64_t deallocated = 0;
  const std::size_t page = group / kGroupsPerPage;
  for_each_account([&](const ThreadAccount& account) {
    if (account.touched(page)) allocated += account.cell(group).allocated_bytes.load();
  });
  for_each_account([&](const ThreadAccount& account) {
    if (account.touched(page)) deallocated += account.cell(group).deallocated_bytes.load();
  });
  const std::uint64_t live = allocated > deallocated ? allocated - deallocated : 0;
  std::uint64_t highest = highest_[group].load(std::memory_order_relaxed);
  while (live > highest && !highest_[group].compare_exchange_weak(highest, live, std::memory_order_relaxed)) {
  }
  return std::max(highest, live);
}

void GroupPeaks::look_and_deal_out(GroupIndex group) noexcept {
  const std::uint64_t highest = look(group);
  if (dealing_[group].exchange(true, std::memory_order_acquire)) return;
  deal_out(group, highest);
  dealing_[group].store(false, std::memory_order_release);
}

// However the threads go on meanwhile, the shares that the allowances begin from add up to `highest`.
void GroupPeaks::deal_out(GroupIndex group, std::uint64_t highest) noexcept {
  const std::size_t page = group / kGroupsPerPage;
  const auto has_a_part = [&](const ThreadAccount& account) {
    return account.touched(page) && account.owned() && account.cell(group).allocated_bytes.load() != 0;
  };
  auto room = static_cast<std::int64_t>(highest);
  std::int64_t threads = 0;
  for_each_account([&](ThreadAccount& account) {
    if (!account.touched(page)) return;
    const std::int64_t share = account.net_bytes(group);
    account.set_allowance(group, share);
    room -= share;
    if (has_a_part(account)) ++threads;
  });
  if (threads == 0) return;
  const auto step =
      static_cast<std::int64_t>(std::max(kSmallestStepBytes, highest / (kShare * static_cast<std::uint64_t>(threads))));
  const std::int64_t part = room / threads + step - ThreadAccount::kNearestGlanceBytes;
  // Counted down, since a thread may have come meanwhile.
  for_each_account([&](ThreadAccount& account) {
    if (threads == 0 || !has_a_part(account)) return;
    account.set_allowance(group, account.allowance(group) + part);
    --threads;
  });
}

void GroupPeaks::start_over(GroupIndex group) noexcept {
  highest_[group].store(0, std::memory_order_relaxed);
  for_each_account([group](ThreadAccount& account) {
    if (account.touched(group / kGroupsPerPage)) account.set_allowance(group, account.net_bytes(group));
  });
}

void GroupPeaks::start_child(std::size_t groups) noexcept {
  for (std::size_t group = 0; group < groups; ++group) dealing_[group].store(false, std::memory_order_relaxed);
}

}  // namespace bursar::groups
