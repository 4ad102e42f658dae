#include "registry/periodic_check.h"

#include <utility>

#include "base/blocked_signals.h"

namespace bursar {

PeriodicCheck::PeriodicCheck(std::chrono::milliseconds interval, std::function<void()> check)
    : interval_(interval), check_(std::move(check)) {
  const BlockedSignals blocked;
  thread_ = std::thread([this] { run(); });
}

PeriodicCheck::~PeriodicCheck() {
  ending_.release();
  thread_.join();
}

void PeriodicCheck::run() {
  while (!ending_.try_acquire_for(interval_)) check_();
}

}  // namespace bursar
