#pragma once

#include <bursar/base/clock.h>
#include <bursar/limiter/memory_limiter_options.h>
#include <bursar/limiter/reclaim.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

namespace bursar::detail {

// Has memory given back, each way no more often than it should be: the allocator's free memory, and what components can
// do without.
//
// Thread-safety: one thread at a time, but for the list. Allocates: for each round of components. Blocks: as the
// allocator and the components do.
class MemoryRelief {
 public:
  explicit MemoryRelief(const MemoryLimiterOptions& options);

  [[nodiscard]] const std::shared_ptr<ReclaimList>& reclaim_list() const noexcept { return reclaim_list_; }

  // False where it was not yet time. Where there is nobody to ask for free memory, or it is only observed, that is as
  // if nothing had come of it.
  bool purge_if_due() noexcept;
  // At once, for what components gave back.
  void purge() noexcept;

  // How many bytes came back, of those that are beyond what usage should be; nothing where nobody was asked.
  std::optional<std::uint64_t> reclaim_if_due(std::uint64_t usage_bytes, std::uint64_t limit_bytes,
                                              const ReclaimList::Listener& listener) noexcept;

 private:
  Clock& clock_;
  const std::function<void()> purge_;
  const std::chrono::nanoseconds purge_interval_;
  const double reclaim_to_;
  const std::chrono::nanoseconds reclaim_interval_;
  Clock::TimePoint next_purge_at_ = Clock::TimePoint::min();
  Clock::TimePoint next_reclaim_at_ = Clock::TimePoint::min();
  const std::shared_ptr<ReclaimList> reclaim_list_ = std::make_shared<ReclaimList>();
};

}  // namespace bursar::detail
