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
  return interval_of(cost_ - balance_);
}

std::chrono::nanoseconds CpuBudget::saving_interval() const noexcept {
  return interval_of(2 * std::max(cost_, cost_ - balance_));
}

std::chrono::nanoseconds CpuBudget::interval_of(Nanoseconds cost) const noexcept {
  const Nanoseconds interval = std::clamp<Nanoseconds>(cost / share_, Nanoseconds::zero(), kLongest);
  return std::chrono::duration_cast<std::chrono::nanoseconds>(interval);
}

}  // namespace bursar
