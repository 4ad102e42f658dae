#include <bursar/limiter/sampling_pace.h>

#include <algorithm>
#include <cmath>
#include <thread>

namespace bursar {
namespace {

using Seconds = std::chrono::duration<double>;

constexpr double kLooksOnTheWay = 8;
constexpr std::uint64_t kCallerLooksOnTheWay = 16;
// A thread's growth is known to about this.
constexpr std::uint64_t kLeastGrowthBytes = std::uint64_t{64} << 10;
constexpr std::chrono::microseconds kLeastCallerInterval{100};
// Shorter stretches give no rate worth the name.
constexpr std::chrono::microseconds kLeastStretch{100};
constexpr Seconds kRateHalfLife{0.05};
// Usage that changes by less than this share of the limit between two slow looks stands still.
constexpr double kStill = 1.0 / 4096;
constexpr std::uint64_t kGrowthPerCore = 2'000'000'000;
constexpr unsigned kMostCores = 8;

std::chrono::nanoseconds nanoseconds_of(double seconds) noexcept {
  constexpr double kLong = 3600;
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Seconds(std::min(seconds, kLong)));
}

}  // namespace

SamplingPace::SamplingPace(const SamplingPaceOptions& options) noexcept : options_(options) {
  if (options_.fastest_growth_per_second == 0) {
    options_.fastest_growth_per_second =
        kGrowthPerCore * std::clamp(std::thread::hardware_concurrency(), 1U, kMostCores);
  }
}

SamplingPlan SamplingPace::after(Clock::TimePoint now, std::uint64_t usage_bytes, std::uint64_t limit_bytes) noexcept {
  note_rate(now, usage_bytes);
  const std::uint64_t room_bytes = limit_bytes > usage_bytes ? limit_bytes - usage_bytes : 0;
  const auto room = static_cast<double>(room_bytes);
  SamplingPlan plan{
      .interval = options_.slow_interval,
      .still = true,
      .caller_interval = options_.fast_interval,
      .caller_growth_bytes = std::max(room_bytes / kCallerLooksOnTheWay, kLeastGrowthBytes),
      .safe_for = nanoseconds_of(room / static_cast<double>(options_.fastest_growth_per_second)),
  };
  // Where even the fastest growth would take long, so may the thread.
  plan.interval = std::max(plan.interval, std::min<std::chrono::nanoseconds>(plan.safe_for / 2, options_.far_interval));
  const double still = kStill * static_cast<double>(limit_bytes) / Seconds(options_.slow_interval).count();
  if (bytes_per_second_ > still) {
    plan.still = false;
    const double seconds_left = room / bytes_per_second_;
    plan.interval =
        std::clamp(nanoseconds_of(seconds_left / kLooksOnTheWay), options_.fast_interval, options_.slow_interval);
    const auto least = std::min<std::chrono::nanoseconds>(kLeastCallerInterval, options_.fast_interval);
    plan.caller_interval = std::clamp(nanoseconds_of(seconds_left / static_cast<double>(kCallerLooksOnTheWay)), least,
                                      options_.fast_interval);
  }
  return plan;
}

void SamplingPace::note_rate(Clock::TimePoint now, std::uint64_t usage_bytes) noexcept {
  if (!anchored_) {
    anchored_ = true;
  } else {
    const auto elapsed = now - anchored_at_;
    if (elapsed < kLeastStretch) return;
    const double change = std::abs(static_cast<double>(usage_bytes) - static_cast<double>(anchor_bytes_));
    const double faded = bytes_per_second_ * std::exp2(-Seconds(elapsed) / kRateHalfLife);
    bytes_per_second_ = std::max(change / Seconds(elapsed).count(), faded);
  }
  anchored_at_ = now;
  anchor_bytes_ = usage_bytes;
}

}  // namespace bursar
