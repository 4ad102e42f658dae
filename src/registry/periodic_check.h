#pragma once

#include <chrono>
#include <functional>
#include <semaphore>
#include <thread>

namespace bursar {

// A thread that calls a function again and again, until the object ends.
//
// Thread-safety: belongs to its owner. Allocates: its thread. Blocks: its end, for a call that is under way.
class PeriodicCheck {
 public:
  // Throws std::system_error where there can be no further thread. REQUIRES: the function does not throw.
  PeriodicCheck(std::chrono::milliseconds interval, std::function<void()> check);
  PeriodicCheck(const PeriodicCheck&) = delete;
  PeriodicCheck& operator=(const PeriodicCheck&) = delete;
  ~PeriodicCheck();

 private:
  void run();

  const std::chrono::milliseconds interval_;
  const std::function<void()> check_;
  // Not a condition variable, whose destruction waits for its waiters: in a forked child there are none to go.
  std::binary_semaphore ending_{0};
  std::thread thread_;
};

}  // namespace bursar
