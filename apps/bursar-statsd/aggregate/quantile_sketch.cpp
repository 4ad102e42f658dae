#include "aggregate/quantile_sketch.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace bursar::statsd {
namespace {

constexpr double kGamma = (1 + QuantileSketch::kRelativeError) / (1 - QuantileSketch::kRelativeError);
const double kLogGamma = std::log(kGamma);

// Added to the logarithmic index of a magnitude, so that the keys of all doubles, subnormal ones included, are above 0.
constexpr std::int32_t kKeyOffset = 20'000;

// A float counts single events exactly up to 2^24. Well before that all weights are halved, which changes no quantile.
constexpr float kMaxWeight = 1 << 23;

// What is left of one event after ten fadings.
constexpr float kNegligibleWeight = 1.0F / 1024;

}  // namespace

std::int32_t QuantileSketch::key_of(double value) noexcept {
  if (value == 0) return 0;
  const auto index = static_cast<std::int32_t>(std::ceil(std::log(std::fabs(value)) / kLogGamma));
  return value > 0 ? index + kKeyOffset : -(index + kKeyOffset);
}

double QuantileSketch::value_of(std::int32_t key) noexcept {
  if (key == 0) return 0;
  const double index = std::abs(key) - kKeyOffset;
  // The middle of the bin in the sense of equal relative error at both ends.
  const double magnitude = std::exp((index - 1) * kLogGamma) * (1 + kRelativeError);
  return key > 0 ? magnitude : -magnitude;
}

void QuantileSketch::insert(std::vector<Bin>::iterator position, std::int32_t key) {
  const auto offset = position - bins_.begin();
  if (bins_.size() == bins_.capacity()) {
    bins_.reserve(std::min(kMaxBins, std::max<std::size_t>(8, 2 * bins_.capacity())));
  }
  bins_.insert(bins_.begin() + offset, Bin{key, 0});
}

void QuantileSketch::record(double value, double weight) {
  const std::int32_t key = key_of(value);
  auto bin = std::ranges::lower_bound(bins_, key, {}, &Bin::key);
  if (bin == bins_.end() || bin->key != key) {
    if (bins_.size() == kMaxBins) {
      if (bin == bins_.begin()) {
        // Lower than all bins: it is what would be merged at once.
        bin->weight += static_cast<float>(weight);
        return;
      }
      bins_[1].weight += bins_[0].weight;
      bins_.erase(bins_.begin());
      bin = std::ranges::lower_bound(bins_, key, {}, &Bin::key);
    }
    const auto offset = bin - bins_.begin();
    insert(bin, key);
    bin = bins_.begin() + offset;
  }
  bin->weight += static_cast<float>(weight);
  for (float heaviest = bin->weight; heaviest > kMaxWeight; heaviest /= 2) fade();
}

double QuantileSketch::quantile(double rank) const noexcept {
  double total = 0;
  for (const Bin& bin : bins_) total += static_cast<double>(bin.weight);
  if (total <= 0) return std::numeric_limits<double>::quiet_NaN();
  const double wanted = rank * total;
  double seen = 0;
  for (const Bin& bin : bins_) {
    seen += static_cast<double>(bin.weight);
    if (seen >= wanted) return value_of(bin.key);
  }
  return value_of(bins_.back().key);
}

void QuantileSketch::fade() noexcept {
  for (Bin& bin : bins_) bin.weight /= 2;
  std::erase_if(bins_, [](const Bin& bin) { return bin.weight < kNegligibleWeight; });
}

}  // namespace bursar::statsd
