#include <bursar/limiter/cpu_budget.h>

#include <algorithm>

namespace bursar {
namespace {

constexpr double kWeightOfOne = 1.0 / 16;
constexpr std::chrono::seconds kLongest{1};

}  // namespace

void CpuBudget::note(std::chrono::nanoseconds elapsed, std::chrono::nanoseconds used) noexcept {
  balance_ = std::min(balance_ + Nanoseconds(elapsed) * share_ - Nanoseconds(used), most_saved_);
  cost_ += (Nanoseconds(used) - cost_) * kWeightOfOne;
}

std::chrono::nanoseconds CpuBudget::least_interval() const noexcept {
  const Nanoseconds missing = cost_ - balance_;
  if (missing <= missing.zero()) return {};
  return std::min<std::chrono::nanoseconds>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::min<Nanoseconds>(missing / share_, kLongest)),
      kLongest);
}

}  // namespace bursar
