#include "registry/ledger_live_bytes.h"

#include <bursar/groups/group_index.h>
#include <bursar/groups/thread_account.h>

#include <cstddef>

#include "groups/account_list.h"
#include "groups/group_table.h"

namespace bursar {
namespace {

using groups::GroupCell;
using groups::GroupIndex;
using groups::kGroupsPerPage;

template <typename Figure>
std::uint64_t sum(std::size_t pages, Figure figure) noexcept {
  std::uint64_t total = 0;
  groups::for_each_account([&](const groups::ThreadAccount& account) {
    for (std::size_t page = 0; page < pages; ++page) {
      if (!account.touched(page)) continue;
      for (std::size_t i = 0; i < kGroupsPerPage; ++i) {
        total += figure(account.cell(static_cast<GroupIndex>(page * kGroupsPerPage + i)));
      }
    }
  });
  return total;
}

}  // namespace

// As sum_group() does: the counters are loaded with acquire, so whatever released block is counted, its allocation is too.
std::uint64_t ledger_live_bytes() noexcept {
  const std::size_t pages = (groups::group_table().first_unused() + kGroupsPerPage - 1) / kGroupsPerPage;
  const std::uint64_t released = sum(pages, [](const GroupCell& cell) { return cell.deallocated_bytes.load(); });
  return sum(pages, [](const GroupCell& cell) { return cell.allocated_bytes.load(); }) - released;
}

}  // namespace bursar
