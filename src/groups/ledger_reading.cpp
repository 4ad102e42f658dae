#include "groups/ledger_reading.h"

#include <bursar/base/process_wide.h>
#include <bursar/base/zeroed_atomic.h>

#include <algorithm>

#include "groups/account_list.h"

namespace bursar::groups {

extern "C" {
// The most CPU time that was ever read of each group's number.
BURSAR_PROCESS_WIDE std::array<ZeroedAtomic<std::uint64_t>, kGroupIndexes> bursar_1_shown_cpu_nanos{};
}

namespace {

// A reader that meets a thread in the middle of a change may miss the stretch that it saw running before; and what the
// kernel's clock said of a running stretch may be some nanoseconds more than what is charged for it in the end. Either
// is made up for by the next changes; until then the earlier figure stands.
std::uint64_t at_least_as_shown(GroupIndex group, std::uint64_t cpu_nanos) noexcept {
  ZeroedAtomic<std::uint64_t>& shown = bursar_1_shown_cpu_nanos[group];
  std::uint64_t most = shown.load(std::memory_order_relaxed);
  while (most < cpu_nanos && !shown.compare_exchange_weak(most, cpu_nanos, std::memory_order_relaxed)) {
  }
  return std::max(most, cpu_nanos);
}

// The two passes for the groups of one page from `first` on. Acquire loads throughout: a release that is seen was
// counted by a thread that had seen the block, hence after the block's allocation had been counted.
void sum_range(std::size_t page, std::size_t first, std::size_t count, GroupSums* sums) noexcept {
  const auto group_at = [page, first](std::size_t i) {
    return static_cast<GroupIndex>(page * kGroupsPerPage + first + i);
  };
  for_each_account([&](const ThreadAccount& account) {
    if (!account.touched(page)) return;
    for (std::size_t i = 0; i < count; ++i) {
      const GroupCell& cell = account.cell(group_at(i));
      sums[i].usage.deallocated_bytes += cell.deallocated_bytes.load();
      sums[i].usage.deallocated_objects += cell.deallocated_objects.load();
      sums[i].exits += cell.exits.load();
    }
  });
  for_each_account([&](const ThreadAccount& account) {
    if (!account.touched(page)) return;
    ThreadAccount::RunningStretch running{};
    const std::size_t running_at =
        static_cast<std::size_t>(account.current_seen_from_outside()) - page * kGroupsPerPage - first;
    const bool is_running = running_at < count && account.read_running_stretch(running);
    for (std::size_t i = 0; i < count; ++i) {
      const GroupCell& cell = account.cell(group_at(i));
      sums[i].usage.allocated_bytes += cell.allocated_bytes.load();
      sums[i].usage.allocated_objects += cell.allocated_objects.load();
      sums[i].entries += cell.entries.load();
      // Read after the running stretch: a thread that has changed groups since has added that stretch to the cell.
      const std::uint64_t charged = cell.cpu_nanos.load();
      const bool here = is_running && running.group == group_at(i);
      sums[i].usage.cpu_time_nanos += here ? std::max(charged, running.cpu_nanos) : charged;
    }
  });
  for (std::size_t i = 0; i < count; ++i) {
    sums[i].usage.cpu_time_nanos = at_least_as_shown(group_at(i), sums[i].usage.cpu_time_nanos);
  }
}

// What all threads allocated less what they released, of which `count(account, counter)` answers one account's part. The
// two passes in the order of `sum_range`, for the same reason.
template <typename Count>
std::uint64_t live_bytes(Count count) noexcept {
  std::uint64_t deallocated = 0;
  std::uint64_t allocated = 0;
  for_each_account([&](const ThreadAccount& account) { deallocated += count(account, &GroupCell::deallocated_bytes); });
  for_each_account([&](const ThreadAccount& account) { allocated += count(account, &GroupCell::allocated_bytes); });
  return allocated - deallocated;
}

}  // namespace

GroupSums sum_group(GroupIndex group) noexcept {
  GroupSums sums;
  sum_range(group / kGroupsPerPage, group % kGroupsPerPage, 1, &sums);
  return sums;
}

void sum_page(std::size_t page, PageSums& sums) noexcept {
  sums.fill({});
  sum_range(page, 0, kGroupsPerPage, sums.data());
}

std::uint64_t sum_live_bytes(GroupIndex group) noexcept {
  return live_bytes([group](const ThreadAccount& account, Counter GroupCell::* counter) -> std::uint64_t {
    return account.touched(group / kGroupsPerPage) ? (account.cell(group).*counter).load() : 0;
  });
}

std::uint64_t sum_all_live_bytes(std::size_t end) noexcept {
  const std::size_t pages = (end + kGroupsPerPage - 1) / kGroupsPerPage;
  return live_bytes([pages](const ThreadAccount& account, Counter GroupCell::* counter) {
    std::uint64_t sum = 0;
    for (std::size_t page = 0; page < pages; ++page) {
      if (!account.touched(page)) continue;
      for (std::size_t i = 0; i < kGroupsPerPage; ++i) {
        sum += (account.cell(static_cast<GroupIndex>(page * kGroupsPerPage + i)).*counter).load();
      }
    }
    return sum;
  });
}

void forget_shown_cpu_time(GroupIndex group) noexcept {
  bursar_1_shown_cpu_nanos[group].store(0, std::memory_order_relaxed);
}

}  // namespace bursar::groups
