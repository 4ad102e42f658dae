#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace bursar::statsd {

// Quantiles of a stream in bounded memory. Values are counted in bins whose borders grow by a constant factor, so that
// an answer is within 2 % of a value that was really seen at that rank (the scheme of DDSketch, Masson et al., VLDB
// 2019). When all bins are in use the two lowest are merged: with values that span more than a factor of 600 the lowest
// quantiles lose accuracy first. `fade` lets the past count for less.
//
// Thread-safety: belongs to one thread. Allocates: at most kMaxBins x 8 bytes, as bins come into use. Blocks: no.
class QuantileSketch {
 public:
  static constexpr std::size_t kMaxBins = 160;
  static constexpr std::size_t kBinBytes = 8;
  static constexpr double kRelativeError = 0.02;

  // REQUIRES: finite `value`, `weight` above 0 and at most 1e9.
  void record(double value, double weight);

  // The value at `rank`, 0 for the lowest and 1 for the highest. NaN where nothing was recorded, or all of it has
  // faded.
  [[nodiscard]] double quantile(double rank) const noexcept;

  // Halves the weight of everything recorded so far, and forgets what has become negligible.
  void fade() noexcept;

  [[nodiscard]] std::size_t bins() const noexcept { return bins_.size(); }

 private:
  // Ordered by key, which orders like the values: positive above 0, zero at 0, negative below.
  struct Bin {
    std::int32_t key;
    float weight;
  };
  static_assert(sizeof(Bin) == kBinBytes);

  [[nodiscard]] static std::int32_t key_of(double value) noexcept;
  [[nodiscard]] static double value_of(std::int32_t key) noexcept;
  void insert(std::vector<Bin>::iterator position, std::int32_t key);

  std::vector<Bin> bins_;
};

}  // namespace bursar::statsd
