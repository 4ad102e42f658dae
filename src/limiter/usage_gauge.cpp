#include <bursar/limiter/usage_gauge.h>

#include <algorithm>
#include <utility>

namespace bursar {
namespace {

std::optional<std::uint64_t> read(const MemorySensor& sensor) noexcept {
  try {
    return sensor();
  } catch (...) {
    return std::nullopt;
  }
}

}  // namespace

UsageGauge::UsageGauge(std::vector<MemorySensor> sensors, std::size_t tolerated_failures)
    : tolerated_failures_(tolerated_failures) {
  sources_.reserve(sensors.size());
  for (MemorySensor& sensor : sensors) sources_.push_back(Source{.sensor = std::move(sensor), .last_good = {}});
}

std::optional<std::uint64_t> UsageGauge::sense() noexcept {
  std::optional<std::uint64_t> greatest;
  for (Source& source : sources_) {
    if (const auto bytes = read(source.sensor)) {
      source.last_good = bytes;
      source.failures_in_a_row = 0;
    } else {
      ++failed_readings_;
      if (source.failures_in_a_row < tolerated_failures_) {
        ++source.failures_in_a_row;
      } else {
        source.last_good.reset();
      }
    }
    // An empty optional is less than any figure.
    greatest = std::max(greatest, source.last_good);
  }
  return greatest;
}

}  // namespace bursar
