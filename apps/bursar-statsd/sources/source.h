#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstddef>

#include <bursar/groups/resource_group_token.h>
#include <bursar/limiter/memory_limiter.h>

#include "intake/line_intake.h"

namespace bursar::statsd {

// What each source runs on. What it refers to has to outlive the source.
struct SourceContext {
  boost::asio::any_io_executor executor;
  ResourceGroupToken group;
  const MemoryLimiter& limiter;
};

// What a coroutine that reads, and the operations it has under way, take on the heap at most: frames of a few hundred
// bytes each, for as deep as they call, and what Asio's reactor keeps of a descriptor.
inline constexpr std::size_t kCoroutineBytes = 8 * 1024;

// Brings lines in. A source runs in its group, and waits for the limiter before each read.
//
// Thread-safety: belongs to the thread that runs its executor. Allocates: within its bounds. Blocks: no.
class Source {
 public:
  virtual ~Source() = default;

  // Begins to read.
  virtual void start() = 0;

  // Ends the reading. What the kernel has queued by then is read without waiting, at most until `deadline`.
  virtual void stop_and_drain(std::chrono::steady_clock::time_point deadline) = 0;

  // Brings those counters up to date that the kernel keeps.
  virtual void refresh_counters() {}

  [[nodiscard]] virtual const LineIntake& intake() const noexcept = 0;
};

}  // namespace bursar::statsd
