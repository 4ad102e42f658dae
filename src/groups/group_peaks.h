#pragma once

#include <bursar/base/process_wide.h>
#include <bursar/base/zeroed_atomic.h>
#include <bursar/groups/group_index.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace bursar::groups {

// The highest live bytes of every group.
//
// A group's live bytes are the sum over its threads, and nobody adds that up at each allocation. Instead every thread
// has an allowance: how far its own share of the sum may go before it adds up again. At a look the room that there is
// below the peak is dealt out over the threads, so the sum cannot pass the peak, by more than a step for each thread,
// before one of them has used up its allowance. A group whose live bytes go up and down below its peak is hardly ever
// looked at; one that grows, at each step.
//
// Thread-safety: any thread, and signal handlers. Allocates: no. Blocks: no.
class GroupPeaks {
 public:
  // The highest that any look has seen.
  [[nodiscard]] std::uint64_t highest(std::size_t group) const noexcept {
    return highest_[group].load(std::memory_order_relaxed);
  }

  // Adds up, and answers the highest that was ever seen. Cost: a pass over the process's threads.
  std::uint64_t look(GroupIndex group) noexcept;
  // The same, and deals out allowances; does nothing while another thread does.
  void look_and_deal_out(GroupIndex group) noexcept;

  // For the next group that has the number. REQUIRES: nothing is live in the group, and nobody is in it.
  void start_over(GroupIndex group) noexcept;

  // In a child just forked: whoever dealt out is gone.
  void start_child(std::size_t groups) noexcept;

 private:
  void deal_out(GroupIndex group, std::uint64_t highest) noexcept;

  std::array<ZeroedAtomic<std::uint64_t>, kGroupIndexes> highest_{};
  std::array<ZeroedAtomic<bool>, kGroupIndexes> dealing_{};
};

extern "C" {
BURSAR_PROCESS_WIDE GroupPeaks bursar_1_group_peaks{};
}

[[nodiscard]] inline GroupPeaks& group_peaks() noexcept {
  return bursar_1_group_peaks;
}

}  // namespace bursar::groups
