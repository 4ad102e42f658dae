#pragma once

#include <bursar/base/clock.h>
#include <bursar/limiter/limiter_event.h>
#include <bursar/limiter/limiter_policy.h>
#include <bursar/limiter/limiter_state.h>
#include <bursar/limiter/memory_sensor.h>
#include <bursar/limiter/pressure_trigger.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace bursar {

// How many bytes the calling thread has allocated so far. It is asked at every wait while memory is not plentiful.
using ThreadGrowth = std::uint64_t (*)() noexcept;

// How much of its bound the component uses for which the calling thread works: 1 is all of it, 4 is four times too
// much; nothing where it has no bound. It is asked at every wait under pressure, by many threads at a time, and must
// not throw or wait.
using BoundShare = std::function<std::optional<double>()>;

// How a MemoryLimiter measures, decides and acts. Every default is that of a server in production.
struct MemoryLimiterOptions {
  LimiterMode mode = LimiterMode::On;

  // What measures usage; the greatest figure counts. None stands for the resident size.
  std::vector<MemorySensor> usage_sensors;
  // What the program itself holds: the live bytes of a ledger. It is asked once the allocator has been asked for its
  // free memory, 100 times a second at most. Without it the state recovers by usage alone.
  MemorySensor live_bytes;
  // The limit, where it may change while the program runs: in place of the grant's, read about once a second. While it
  // cannot be read the last good one counts.
  MemorySensor effective_limit;
  // How long the last good figure of a sensor that fails counts. Without any figure the state is Normal.
  std::chrono::nanoseconds last_figure_holds = std::chrono::seconds(1);

  // What makes a state and a back-off of a figure.
  LimiterPolicy policy = RampPolicy();

  // How often the limiter's thread looks: faster as usage runs into the limit, slower while it stands still, and each
  // 100 ms where the limit is far away.
  std::chrono::nanoseconds fast_interval = std::chrono::milliseconds(1);
  std::chrono::nanoseconds slow_interval = std::chrono::milliseconds(20);
  // What share of a core its looking may take in the long run, and what it may save up for when it matters.
  double cpu_share = 0.0009;
  std::chrono::nanoseconds most_cpu_saved = std::chrono::milliseconds(10);
  // The fastest that the process can grow, in bytes a second; while there is room for that until the thread's next
  // look, a wait is one load. 0 stands for 2 GB/s a core, of at most 8 cores.
  std::uint64_t fastest_growth_per_second = 0;
  // What the calling thread has allocated: a caller that has grown by a sixteenth of the room that was left looks for
  // itself. Without it, and for pages that are touched only later, callers look once the last look is a millisecond
  // old.
  ThreadGrowth thread_growth = nullptr;

  // By which a wait is fair: inside its bound a component waits a tenth of its time, while one beyond its bound is
  // there to take the whole back-off. Without it all wait alike.
  BoundShare bound_share;

  // Asks the allocator for its free memory, in Soft and Hard, on the limiter's thread; nothing stands for
  // allocator_purge(), an empty function for none.
  std::optional<std::function<void()>> purge;
  std::chrono::nanoseconds purge_interval = std::chrono::seconds(1);
  // Components are asked for memory in Soft and Hard until usage would be at this share of the limit, this often.
  double reclaim_to = 0.90;
  std::chrono::nanoseconds reclaim_interval = std::chrono::milliseconds(100);

  // Whether the kernel's word that tasks stall for lack of memory makes for an extra look. Without a trigger it is
  // PressureTrigger::open(); where there is none the limiter does without.
  bool listens_for_stalls = true;
  std::shared_ptr<const PressureTrigger> stall_trigger;

  // Told of each event soon after, on the limiter's thread, or within MemoryLimiter::create(); it must not throw.
  // MemoryLimiter::events() keeps the last ones anyway.
  std::function<void(const LimiterEvent&)> on_event;

  // Whether a thread of the limiter's own does the measuring. Without one nothing happens but by MemoryLimiter::poll().
  bool background_thread = true;

  // The time by which waits end. REQUIRES: outlives the limiter.
  std::reference_wrapper<Clock> clock = monotonic_clock();
  // What stands before "/proc" for the default sensor and trigger.
  std::string system_root;
};

}  // namespace bursar
