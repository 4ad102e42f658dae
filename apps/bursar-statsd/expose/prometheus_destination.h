#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <bursar/bounds/memory_bounds_builder.h>
#include <bursar/groups/resource_group_token.h>
#include <bursar/report/exposition_format.h>

#include "aggregate/aggregator.h"
#include "expose/context_exposition.h"
#include "intake/line_intake.h"

namespace bursar::statsd {

// Renders what the program has for Prometheus, inside its group. An answer belongs to the group until it has been sent,
// so the group's live bytes tell how much of `max_exposition_bytes` other answers hold that are still under way: what a
// new one may take is the rest.
//
// Thread-safety: belongs to one thread. Allocates: within its bounds. Blocks: no.
class PrometheusDestination {
 public:
  // What it refers to has to outlive it.
  PrometheusDestination(const Aggregator& aggregator, std::vector<const LineIntake*> sources, ResourceGroupToken group,
                        std::size_t max_exposition_bytes);

  // Appends all families to `text`, without OpenMetrics' end.
  void render(std::string& text, ExpositionFormat format);

  [[nodiscard]] const RenderedContexts& last_rendering() const noexcept { return last_; }

  // What the destination will take, told before it is made.
  struct Bounds {
    std::size_t max_exposition_bytes;
    void specify_bounds(MemoryBoundsBuilder& builder) const;
  };

 private:
  [[nodiscard]] std::size_t available_bytes() const noexcept;

  const Aggregator& aggregator_;
  std::vector<const LineIntake*> sources_;
  ResourceGroupToken group_;
  std::size_t max_exposition_bytes_;
  RenderedContexts last_;
};

}  // namespace bursar::statsd
