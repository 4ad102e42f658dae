#include "limiter/memory_relief.h"

#include <bursar/limiter/allocator_purge.h>

#include <algorithm>

namespace bursar::detail {
namespace {

// A purge that takes long is done less often: it has at most this part of the time.
constexpr int kPurgePauses = 20;

// What throws gave nothing; usage tells.
std::uint64_t freed_by(const std::function<std::uint64_t()>& relief) noexcept {
  try {
    return relief();
  } catch (...) {
    return 0;
  }
}

std::function<void()> purge_of(const MemoryLimiterOptions& options) {
  if (options.mode != LimiterMode::On) return {};
  return options.purge ? *options.purge : allocator_purge();
}

}  // namespace

MemoryRelief::MemoryRelief(const MemoryLimiterOptions& options)
    : clock_(options.clock),
      purge_(purge_of(options)),
      purge_interval_(options.purge_interval),
      reclaim_to_(options.reclaim_to),
      reclaim_interval_(options.reclaim_interval) {}

bool MemoryRelief::purge_if_due() noexcept {
  if (clock_.now() < next_purge_at_) return false;
  purge();
  return true;
}

void MemoryRelief::purge() noexcept {
  const Clock::TimePoint start = clock_.now();
  if (purge_) {
    freed_by([this] {
      purge_();
      return std::uint64_t{0};
    });
  }
  const Clock::TimePoint end = clock_.now();
  next_purge_at_ = end + std::max(purge_interval_, kPurgePauses * (end - start));
}

std::optional<std::uint64_t> MemoryRelief::reclaim_if_due(std::uint64_t usage_bytes, std::uint64_t limit_bytes,
                                                          const ReclaimList::Listener& listener) noexcept {
  const auto target_bytes = static_cast<std::uint64_t>(reclaim_to_ * static_cast<double>(limit_bytes));
  if (usage_bytes <= target_bytes || clock_.now() < next_reclaim_at_ || reclaim_list_->empty()) {
    return std::nullopt;
  }
  const std::uint64_t freed_bytes =
      freed_by([&] { return reclaim_list_->reclaim(usage_bytes - target_bytes, listener); });
  next_reclaim_at_ = clock_.now() + reclaim_interval_;
  return freed_bytes;
}

}  // namespace bursar::detail
