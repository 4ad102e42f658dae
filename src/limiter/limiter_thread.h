#pragma once

#include <bursar/limiter/pressure_trigger.h>

#include <chrono>
#include <memory>
#include <thread>

#include "limiter/alarm.h"
#include "limiter/limiter_core.h"

namespace bursar::detail {

// Polls the core until it is destroyed: each time the core wants to be, when the alarm rings, and when the kernel says
// that tasks stall for lack of memory. It measures its own CPU time and looks less often where that is too much.
//
// Thread-safety: no. Allocates: when it is made. Blocks: its end, until a poll that runs is done, unless that poll is
// what ends it.
class LimiterThread {
 public:
  struct Settings {
    double cpu_share;
    std::chrono::nanoseconds most_cpu_saved;
  };

  // The trigger may be missing. Throws std::system_error where there can be no more threads.
  LimiterThread(std::shared_ptr<LimiterCore> core, std::shared_ptr<Alarm> alarm,
                std::shared_ptr<const PressureTrigger> trigger, Settings settings);
  ~LimiterThread();
  LimiterThread(const LimiterThread&) = delete;
  LimiterThread& operator=(const LimiterThread&) = delete;

 private:
  struct Shared;

  static void run(Shared& shared) noexcept;

  const std::shared_ptr<Shared> shared_;
  std::thread thread_;
};

}  // namespace bursar::detail
