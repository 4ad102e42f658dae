#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

#include "aggregate/quantile_sketch.h"
#include "aggregate/unique_counter.h"
#include "protocol/metric.h"

namespace bursar::statsd {

struct CounterValue {
  double total = 0;
};

struct GaugeValue {
  double value = 0;
};

struct SetValue {
  UniqueCounter unique;
};

// Of timers, histograms and distributions. Sum and count are exact and scaled by the sample rate.
struct SummaryValue {
  double sum = 0;
  double count = 0;
  QuantileSketch sketch;
};

using ContextValue = std::variant<CounterValue, GaugeValue, SetValue, SummaryValue>;

[[nodiscard]] ContextValue empty_value(MetricType type);

// Whether metrics of this type are shown as a summary, and so own the names with the suffixes `_sum` and `_count` too.
[[nodiscard]] constexpr bool is_summary(MetricType type) noexcept {
  return type == MetricType::kTimer || type == MetricType::kHistogram || type == MetricType::kDistribution;
}

struct Family;

// One series: a metric name with its labels. The contexts of a family form a list in the order of their arrival.
struct Context {
  std::string_view key;  // of the node in the aggregator's table
  Family* family = nullptr;
  Context* previous = nullptr;
  Context* next = nullptr;
  std::chrono::steady_clock::time_point last_seen;
  ContextValue value;
};

// All series of one metric name.
struct Family {
  std::string_view name;      // of the node in the aggregator's table
  std::string received_name;  // as the first line had it; empty where that is the same
  MetricType type = MetricType::kCounter;
  Context* first = nullptr;
  Context* last = nullptr;
  std::size_t contexts = 0;

  [[nodiscard]] std::string_view original_name() const noexcept {
    return received_name.empty() ? name : std::string_view(received_name);
  }
};

}  // namespace bursar::statsd
