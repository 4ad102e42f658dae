#pragma once

#include <bursar/base/clock.h>
#include <bursar/limiter/limiter_policy.h>
#include <bursar/limiter/limiter_state.h>
#include <bursar/limiter/memory_sensor.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace bursar {

// How a MemoryLimiter measures, decides and acts. Every default is that of a server in production.
struct MemoryLimiterOptions {
  LimiterMode mode = LimiterMode::On;

  // What measures usage; the greatest figure counts. None stands for the resident size.
  std::vector<MemorySensor> usage_sensors;
  // What makes a state and a back-off of a figure.
  LimiterPolicy policy = RampPolicy();

  // How often usage is measured: at the fast interval while it is at least this share of the limit, or while somebody
  // waits; else at the slow one.
  double fast_from = 0.5;
  std::chrono::nanoseconds fast_interval = std::chrono::milliseconds(1);
  std::chrono::nanoseconds slow_interval = std::chrono::milliseconds(10);

  // How many failures in a row of one sensor its last good figure outlasts. Without any figure the state is Normal.
  std::size_t tolerated_failures = 100;

  // Whether a thread of the limiter's own does the measuring. Without one nothing happens but by MemoryLimiter::poll().
  bool background_thread = true;

  // The time by which waits end. REQUIRES: outlives the limiter.
  std::reference_wrapper<Clock> clock = monotonic_clock();
  // What stands before "/proc" for the default sensor.
  std::string system_root;
};

}  // namespace bursar
