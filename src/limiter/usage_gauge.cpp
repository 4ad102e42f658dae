#include <bursar/limiter/usage_gauge.h>

#include <algorithm>
#include <utility>

namespace bursar {
UsageGauge::UsageGauge(std::vector<MemorySensor> sensors, std::chrono::nanoseconds last_figure_holds)
    : last_figure_holds_(last_figure_holds) {
  sources_.reserve(sensors.size());
  changes_.reserve(sensors.size());
  for (MemorySensor& sensor : sensors) {
    sources_.push_back(Source{.sensor = std::move(sensor), .last_good = {}, .last_good_at = {}});
  }
}

std::optional<std::uint64_t> UsageGauge::sense(Clock::TimePoint now) noexcept {
  changes_.clear();
  std::optional<std::uint64_t> greatest;
  for (Source& source : sources_) {
    sense(source, now);
    // An empty optional is less than any figure.
    greatest = std::max(greatest, source.last_good);
  }
  return greatest;
}

void UsageGauge::sense(Source& source, Clock::TimePoint now) noexcept {
  if (const auto bytes = source.sensor.read()) {
    source.last_good = *bytes;
    source.last_good_at = now;
    become(source, Health::Good, {});
  } else {
    ++failed_readings_;
    const bool lost = !source.last_good || now - source.last_good_at >= last_figure_holds_;
    if (lost) source.last_good.reset();
    become(source, lost ? Health::Lost : Health::Failing, bytes.error());
  }
}

void UsageGauge::become(Source& source, Health health, std::error_code error) noexcept {
  if (source.health == health) return;
  source.health = health;
  changes_.push_back({.sensor = &source.sensor.name(), .health = health, .error = error});
}

}  // namespace bursar
