#pragma once

#include <bursar/limiter/limiter_state.h>

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <string>

namespace bursar {

// What a policy decides by.
struct MemoryReading {
  std::uint64_t usage_bytes;
  std::uint64_t limit_bytes;  // the grant's effective limit, at least 1
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

// Shares of the effective limit, and times. REQUIRES: 0 < leave_at <= soft_from <= hard_from, and
// 0 <= min_backoff <= max_backoff.
struct RampPolicyOptions {
  double soft_from = 0.95;  // usage from which the state is Soft, and the back-off min_backoff
  double hard_from = 1.00;  // usage from which the state is Hard, and the back-off max_backoff
  double leave_at = 0.90;   // usage at which, or below, Soft and Hard are left for Normal
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

  RampPolicyOptions options_;
  LimiterState state_ = LimiterState::Normal;
};

}  // namespace bursar
