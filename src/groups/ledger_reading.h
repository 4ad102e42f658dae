#pragma once

#include <bursar/groups/group_index.h>
#include <bursar/groups/resource_stats.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace bursar::groups {

// What all threads together have charged to one group's number since the process began, whichever groups had the
// number.
struct GroupSums {
  ResourceStatsSnapshot usage;
  std::uint64_t entries = 0;
  std::uint64_t exits = 0;
};

using PageSums = std::array<GroupSums, kGroupsPerPage>;

// Sums over all threads, at the price of one pass over their accounts. Never shows a negative live figure: all releases
// are read before any allocation, so whatever released block is counted, its allocation is counted too. Nor does a CPU
// time ever go back.
//
// Thread-safety: any thread. Allocates: no. Blocks: no.
[[nodiscard]] GroupSums sum_group(GroupIndex group) noexcept;
void sum_page(std::size_t page, PageSums& sums) noexcept;
// The live bytes alone, without a system call: of one group, and of all whose numbers are below `end`.
[[nodiscard]] std::uint64_t sum_live_bytes(GroupIndex group) noexcept;
[[nodiscard]] std::uint64_t sum_all_live_bytes(std::size_t end) noexcept;

// In a child just forked, where CPU time starts again from nothing.
void forget_shown_cpu_time(GroupIndex group) noexcept;

}  // namespace bursar::groups
