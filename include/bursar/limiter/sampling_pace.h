#pragma once

#include <bursar/base/clock.h>

#include <chrono>
#include <cstdint>

namespace bursar {

struct SamplingPaceOptions {
  // The limiter's thread looks no more often, and no less often, than this; but for a limit so far away that even the
  // fastest growth would take longer. REQUIRES: 0 < fast <= slow.
  std::chrono::nanoseconds fast_interval = std::chrono::milliseconds(1);
  std::chrono::nanoseconds slow_interval = std::chrono::milliseconds(20);
  std::chrono::nanoseconds far_interval = std::chrono::milliseconds(100);
  // The fastest that the process is thought able to grow, in bytes a second. 0 stands for 2 GB/s a core, of at most 8
  // cores: the kernel does not clear pages faster.
  std::uint64_t fastest_growth_per_second = 0;
};

// When the next look at memory is due, for the limiter's thread and for a caller of the wait.
struct SamplingPlan {
  std::chrono::nanoseconds interval;         // the thread looks again after this
  bool still;                                // usage does not change to speak of
  std::chrono::nanoseconds caller_interval;  // a caller looks where the last look is this old
  std::uint64_t caller_growth_bytes;         // or where its own thread has grown by this
  // How long the fastest growth would take through what room is left: callers need not look before that.
  std::chrono::nanoseconds safe_for;
};

// Plans the next look from the room that is left and from how fast usage was seen to change: the thread looks eight
// times on the way to the limit, a caller sixteen times. A usage that stands still is looked at rarely, wherever it
// stands; sudden growth is for the callers, who cause it, to see.
//
// Thread-safety: one thread at a time. Allocates: no. Blocks: no.
class SamplingPace {
 public:
  explicit SamplingPace(const SamplingPaceOptions& options = {}) noexcept;

  [[nodiscard]] SamplingPlan after(Clock::TimePoint now, std::uint64_t usage_bytes, std::uint64_t limit_bytes) noexcept;

 private:
  void note_rate(Clock::TimePoint now, std::uint64_t usage_bytes) noexcept;

  SamplingPaceOptions options_;
  // From where the rate is measured.
  Clock::TimePoint anchored_at_;
  std::uint64_t anchor_bytes_ = 0;
  bool anchored_ = false;
  double bytes_per_second_ = 0;  // of rise or fall: the greatest of late
};

}  // namespace bursar
