#include "report/look_back.h"

#include <utility>

namespace bursar::report_detail {

std::optional<LookBack::Earlier> LookBack::keep(std::shared_ptr<const ResourceReport> report, TimePoint now) {
  constexpr std::chrono::seconds kLeastAge{1};
  const std::lock_guard lock(mutex_);
  if (fresh_.report == nullptr || now - fresh_.time >= kLeastAge) {
    ripe_ = std::exchange(fresh_, {.report = std::move(report), .time = now});
  }
  if (ripe_.report == nullptr) {
    return std::nullopt;
  }
  return Earlier{.report = ripe_.report, .elapsed = now - ripe_.time};
}

}  // namespace bursar::report_detail
