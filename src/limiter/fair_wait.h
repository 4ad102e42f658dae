#pragma once

#include <bursar/base/clock.h>
#include <bursar/limiter/memory_limiter_options.h>

#include <atomic>
#include <chrono>

namespace bursar::detail {

// Shares a back-off out. A caller whose component is beyond its bound, or has none, takes all of it. One inside its
// bound waits a tenth of its own time, whatever the back-off: in pieces of a millisecond, since shorter sleeps take as
// long. That holds while somebody beyond a bound was there to slow down a moment ago; where the whole is too much though
// everybody keeps his bounds, or where the limit is too near, all wait alike.
//
// Thread-safety: yes. Allocates: no. Blocks: no.
class FairWait {
 public:
  // What a thread remembers.
  struct Caller {
    Clock::TimePoint passed_at;
    std::chrono::nanoseconds owed{0};
  };

  explicit FairWait(BoundShare bound_share) noexcept;

  // How long this caller waits. `too_near` says that there is no room left to be fair in.
  [[nodiscard]] std::chrono::nanoseconds wait_of(Caller& caller, Clock::TimePoint now, std::chrono::nanoseconds backoff,
                                                 bool too_near) noexcept;

 private:
  const BoundShare bound_share_;
  std::atomic<Clock::TimePoint> beyond_seen_at_{Clock::TimePoint::min()};
};

}  // namespace bursar::detail
