#include "limiter/fair_wait.h"

#include <algorithm>
#include <utility>

namespace bursar::detail {
namespace {

constexpr int kShareOfOwnTime = 10;  // one part in so many
constexpr std::chrono::milliseconds kShortestSleep{1};
// Somebody beyond a bound counts as there for this long after a wait, or for four back-offs where that is longer.
constexpr std::chrono::milliseconds kRemembered{100};
constexpr int kBackoffsRemembered = 4;

}  // namespace

FairWait::FairWait(BoundShare bound_share) noexcept : bound_share_(std::move(bound_share)) {}

std::chrono::nanoseconds FairWait::wait_of(Caller& caller, Clock::TimePoint now, std::chrono::nanoseconds backoff,
                                           bool too_near) noexcept {
  if (!bound_share_) return backoff;
  const std::optional<double> share = bound_share_();
  if (!share) return backoff;
  // Relaxed: a moment that is seen late is a moment that lasts longer.
  if (*share > 1.0) {
    beyond_seen_at_.store(now, std::memory_order_relaxed);
    return backoff;
  }
  const auto remembered = std::max<std::chrono::nanoseconds>(kRemembered, backoff * kBackoffsRemembered);
  const Clock::TimePoint beyond_seen_at = beyond_seen_at_.load(std::memory_order_relaxed);
  const bool beyond_there = beyond_seen_at != Clock::TimePoint::min() && now - beyond_seen_at <= remembered;
  if (too_near || !beyond_there) return backoff;

  // Of a long time without a wait only as much counts as would have been waited.
  const auto own_time = std::clamp<std::chrono::nanoseconds>(now - caller.passed_at, {}, kShareOfOwnTime * backoff);
  caller.owed = std::min(caller.owed + own_time / kShareOfOwnTime, backoff);
  caller.passed_at = now;
  if (caller.owed < std::min<std::chrono::nanoseconds>(kShortestSleep, backoff)) return {};
  const auto wait = std::exchange(caller.owed, std::chrono::nanoseconds::zero());
  caller.passed_at += wait;
  return wait;
}

}  // namespace bursar::detail
