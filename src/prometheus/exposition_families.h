#pragma once

#include <prometheus/metric_family.h>

#include <string_view>
#include <vector>

namespace bursar::prometheus_detail {

// The families of a text in Prometheus's format, version 0.0.4, in its order. A family has one value a metric here, so the
// samples of a histogram or summary become untyped families under their own names (`x_bucket`, `x_sum`, `x_count`). A
// line that is no sample is passed over.
//
// Thread-safety: yes. Allocates: yes. Blocks: no. Cost: a pass over the text.
[[nodiscard]] std::vector<::prometheus::MetricFamily> families_of(std::string_view text);

}  // namespace bursar::prometheus_detail
