#pragma once

#include <chrono>

namespace bursar {

// Keeps what a thread does again and again below a share of one core in the long run. What was not used is saved up to
// a limit, for the moments that matter.
//
// Thread-safety: one thread at a time. Allocates: no. Blocks: no.
class CpuBudget {
 public:
  // REQUIRES: 0 < share, 0 <= most_saved.
  CpuBudget(double share, std::chrono::nanoseconds most_saved) noexcept : share_(share), most_saved_(most_saved) {}

  // One more round, `elapsed` after the one before, has taken `used` of CPU time.
  void note(std::chrono::nanoseconds elapsed, std::chrono::nanoseconds used) noexcept;

  // In how long another round like the last ones can be afforded: 0 while there is something saved, a second at most.
  [[nodiscard]] std::chrono::nanoseconds least_interval() const noexcept;

  // How often rounds like the last ones take half of the share, so that the other half is saved up.
  [[nodiscard]] std::chrono::nanoseconds saving_interval() const noexcept;

 private:
  using Nanoseconds = std::chrono::duration<double, std::nano>;

  // In how long the share comes to so much.
  [[nodiscard]] std::chrono::nanoseconds interval_of(Nanoseconds cost) const noexcept;

  double share_;
  Nanoseconds most_saved_;
  Nanoseconds balance_{0};
  Nanoseconds cost_{0};  // of a round, smoothed
};

}  // namespace bursar
