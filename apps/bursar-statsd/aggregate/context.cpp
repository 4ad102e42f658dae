#include "aggregate/context.h"

namespace bursar::statsd {

ContextValue empty_value(MetricType type) {
  switch (type) {
    case MetricType::kCounter:
      return CounterValue{};
    case MetricType::kGauge:
      return GaugeValue{};
    case MetricType::kSet:
      return SetValue{};
    case MetricType::kTimer:
    case MetricType::kHistogram:
    case MetricType::kDistribution:
      return SummaryValue{};
  }
  return CounterValue{};
}

}  // namespace bursar::statsd
