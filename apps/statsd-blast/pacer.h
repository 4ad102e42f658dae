#pragma once

#include <chrono>
#include <cstdint>
#include <limits>

namespace bursar::blast {

// How many lines are due, and when the next one is, at a steady rate. What was late is made up for.
//
// Thread-safety: belongs to one thread. Allocates: no. Blocks: no.
class Pacer {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  static constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();

  // `lines_per_second` 0: no limit.
  Pacer(std::uint64_t lines_per_second, TimePoint start) : lines_per_second_(lines_per_second), start_(start) {}

  // How many lines may be sent now, if `sent` were sent since the start.
  [[nodiscard]] std::uint64_t due(std::uint64_t sent, TimePoint now) const noexcept {
    if (lines_per_second_ == 0) return kUnlimited;
    const double seconds = std::chrono::duration<double>(now - start_).count();
    const auto allowed = static_cast<std::uint64_t>(seconds * static_cast<double>(lines_per_second_));
    return allowed > sent ? allowed - sent : 0;
  }

  // When line `sent` + 1 becomes due.
  [[nodiscard]] TimePoint next(std::uint64_t sent) const noexcept {
    if (lines_per_second_ == 0) return start_;
    const double seconds = static_cast<double>(sent + 1) / static_cast<double>(lines_per_second_);
    return start_ + std::chrono::ceil<std::chrono::steady_clock::duration>(std::chrono::duration<double>(seconds));
  }

 private:
  std::uint64_t lines_per_second_;
  TimePoint start_;
};

}  // namespace bursar::blast
