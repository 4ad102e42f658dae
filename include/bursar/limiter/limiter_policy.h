#pragma once

#include <bursar/limiter/limiter_state.h>

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>

namespace bursar {

// What a policy decides by.
struct MemoryReading {
  std::uint64_t usage_bytes;
  std::uint64_t limit_bytes;  // the grant's effective limit, at least 1
  // What the program itself holds, where that is known: the rest of the usage its allocator keeps.
  std::optional<std::uint64_t> live_bytes = std::nullopt;
  // The lowest usage since the allocator was last asked for its free memory; nothing where it was not yet.
  std::optional<std::uint64_t> lowest_since_purge_bytes = std::nullopt;
};

// What it decides: the state says whether to refuse work, the back-off how long each wait for capacity takes.
struct LimiterDecision {
  LimiterState state = LimiterState::Normal;
  std::chrono::nanoseconds backoff{0};

  friend bool operator==(const LimiterDecision&, const LimiterDecision&) = default;
};

// Decides. It is called for every reading, by one thread at a time, and may keep what it has to remember in itself. It
// must not throw.
using LimiterPolicy = std::function<LimiterDecision(const MemoryReading&)>;

// Shares of the effective limit, and times. REQUIRES: 0 < leave_at <= soft_from <= hard_from, 0 <= kept_growth, and
// 0 <= min_backoff <= max_backoff.
struct RampPolicyOptions {
  double soft_from = 0.95;    // usage from which the state is Soft, and the back-off min_backoff
  double hard_from = 1.00;    // usage from which the state is Hard, and the back-off max_backoff
  double leave_at = 0.90;     // usage, or live bytes, at which, or below, Soft and Hard are left for Normal
  double kept_growth = 0.01;  // by how much usage may rise while live bytes alone are trusted
  std::chrono::nanoseconds min_backoff = std::chrono::milliseconds(1);
  std::chrono::nanoseconds max_backoff = std::chrono::milliseconds(25);
};

// The policy by default.
//
// The back-off is a function of the reading alone: none below soft_from, from there a straight line from min_backoff up
// to max_backoff at hard_from, and max_backoff beyond. It answers to each change at once.
//
// The state remembers: it rises to Soft and Hard as soon as usage reaches them, stays while usage falls, and goes back
// to Normal only at leave_at, lest a server refuse and accept work in turns. So between leave_at and soft_from the
// state may be Soft or Hard while nobody waits.
//
// Danger is judged by usage, for by usage the kernel kills; recovery by live bytes, too. An allocator may keep the pages
// of a burst, and a process must not suffer for them for ever: they serve its next allocations. So once live bytes are
// at leave_at or below, the allocator was asked to give pages back, and usage has not risen since by more than
// kept_growth, what it kept counts as room: the state is Normal and nobody waits. Where usage is at hard_from all the
// same, the state is Soft and a wait takes min_backoff: nothing is refused, but growth is noticed. Usage that does rise
// comes from elsewhere, and is judged as ever until the next purge.
//
// Thread-safety: one thread at a time. Allocates: no. Blocks: no.
class RampPolicy {
 public:
  // The error is one line with the values that do not fit, and what would.
  [[nodiscard]] static std::expected<RampPolicy, std::string> create(const RampPolicyOptions& options);

  RampPolicy() = default;

  LimiterDecision operator()(const MemoryReading& reading) noexcept;

 private:
  explicit RampPolicy(const RampPolicyOptions& options) noexcept : options_(options) {}

  [[nodiscard]] std::chrono::nanoseconds backoff(double share) const noexcept;
  [[nodiscard]] LimiterState next_state(double share) const noexcept;
  [[nodiscard]] bool kept_by_allocator(const MemoryReading& reading) const noexcept;

  RampPolicyOptions options_;
  LimiterState state_ = LimiterState::Normal;
};

}  // namespace bursar
