#pragma once

#include <bursar/base/clock.h>
#include <bursar/limiter/limiter_state.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bursar {

enum class LimiterEventKind : std::uint8_t {
  StateChanged,
  SensorFailing,    // gives no figure; its last good one counts
  SensorLost,       // gave none for so long that it does not count any more
  SensorRecovered,  // gives figures again
  Purged,           // the allocator was asked to give free memory back
  Reclaimed,        // a component gave memory back
  MemoryStall,      // the kernel says that tasks stall for lack of memory
  Notice,           // something that whoever runs the program should know
};

// "state_changed", "sensor_failing", ...
[[nodiscard]] std::string_view to_string(LimiterEventKind kind) noexcept;

// What happened to a limiter, and how it stood afterwards.
struct LimiterEvent {
  std::uint64_t sequence = 0;  // 1, 2, 3, ...
  Clock::TimePoint time;
  LimiterEventKind kind = LimiterEventKind::Notice;
  LimiterState before = LimiterState::Normal;  // of the event
  LimiterState state = LimiterState::Normal;   // after it
  std::optional<std::uint64_t> usage_bytes;
  std::uint64_t limit_bytes = 0;
  std::chrono::nanoseconds backoff{0};
  std::uint64_t freed_bytes = 0;  // Purged: what usage fell by; Reclaimed: what the component says it gave back
  std::string message;            // which sensor and why, which component, what notice; one line or nothing
};

// One line, without the time: "state normal -> soft, 61 MiB of 64 MiB (95.3 %), back-off 2.5 ms".
[[nodiscard]] std::string describe(const LimiterEvent& event);

// The last events of a limiter, oldest first.
//
// Thread-safety: yes. Allocates: when it is made, and copies of events and messages. Blocks: for its mutex.
class EventRecord {
 public:
  static constexpr std::size_t kCapacity = 256;

  EventRecord() { events_.reserve(kCapacity); }

  // Gives the event its number.
  void add(LimiterEvent event) noexcept;

  // Those that came after the one of that number and are still kept.
  [[nodiscard]] std::vector<LimiterEvent> since(std::uint64_t sequence) const;

  // The number of the last one; 0 where there was none.
  [[nodiscard]] std::uint64_t last_sequence() const noexcept;

 private:
  mutable std::mutex mutex_;
  std::vector<LimiterEvent> events_;  // a ring: the one of number n lies at (n - 1) % kCapacity
  std::uint64_t last_sequence_ = 0;
};

}  // namespace bursar
