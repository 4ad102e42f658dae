#include "registry/periodic_check.h"

#include <signal.h>

#include <utility>

namespace bursar {

PeriodicCheck::PeriodicCheck(std::chrono::milliseconds interval, std::function<void()> check)
    : interval_(interval), check_(std::move(check)) {
  // The program's signals are for its own threads.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    thread_ = std::thread([this] { run(); });
  } catch (...) {
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw;
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

PeriodicCheck::~PeriodicCheck() {
  ending_.release();
  thread_.join();
}

void PeriodicCheck::run() {
  while (!ending_.try_acquire_for(interval_)) check_();
}

}  // namespace bursar
