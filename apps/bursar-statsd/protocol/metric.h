#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

namespace bursar::statsd {

enum class MetricType : std::uint8_t { kCounter, kGauge, kSet, kTimer, kHistogram, kDistribution };

// "counter", "gauge", "set", "timer", "histogram", "distribution".
[[nodiscard]] std::string_view to_string(MetricType type) noexcept;

// One of the values of a metric. A gauge that is written with a sign moves by the value; all else is set to it.
struct Sample {
  double value = 0;
  bool is_signed = false;
};

// The number that `text` is: decimal, finite, an optional sign in front.
[[nodiscard]] std::optional<Sample> parse_sample(std::string_view text) noexcept;

// A metric as it was received; the views point into the line.
//
// Thread-safety: a plain value. Allocates: no. Blocks: no.
struct Metric {
  std::string_view name;
  std::string_view values;     // all values, separated by colons; those of a set are one value, colons included
  std::string_view tags;       // without the '#', separated by commas
  std::string_view container;  // the container id, if any
  Sample first;                // the first value, unless this is a set
  double sample_rate = 1;      // in [1e-9, 1]
  std::optional<std::int64_t> timestamp_seconds;
  std::uint32_t unknown_fields = 0;
  MetricType type = MetricType::kCounter;

  // How many events one received value stands for.
  [[nodiscard]] double weight() const noexcept { return 1 / sample_rate; }

  // Calls `visitor(Sample)` for each value. REQUIRES: `parse_line` made this metric, and it is no set.
  template <typename Visitor>
  void for_each_sample(Visitor&& visitor) const {
    visitor(first);
    std::size_t colon = values.find(':');
    while (colon != std::string_view::npos) {
      const std::size_t next = values.find(':', colon + 1);
      visitor(*parse_sample(values.substr(colon + 1, next - colon - 1)));
      colon = next;
    }
  }
};

struct Event {
  std::string_view title;
  std::string_view text;
};

struct ServiceCheck {
  std::string_view name;
  std::uint8_t status = 0;  // 0 ok, 1 warning, 2 critical, 3 unknown
};

using Line = std::variant<Metric, Event, ServiceCheck>;

}  // namespace bursar::statsd
