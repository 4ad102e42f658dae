#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace bursar::report_detail {

// Makes a counter of a figure that may fall a little. A counter must not: it would be taken for a restart, and its
// whole value for an increase.
//
// Thread-safety: yes. Allocates: no. Blocks: no.
class HighWaterMark {
 public:
  // The greatest figure so far.
  [[nodiscard]] std::uint64_t raised_to(std::uint64_t figure) noexcept {
    // Relaxed: the figure orders nothing.
    std::uint64_t greatest = greatest_.load(std::memory_order_relaxed);
    while (figure > greatest && !greatest_.compare_exchange_weak(greatest, figure, std::memory_order_relaxed)) {
    }
    return std::max(greatest, figure);
  }

 private:
  std::atomic<std::uint64_t> greatest_{0};
};

}  // namespace bursar::report_detail
