#include <bursar/limiter/limiter_policy.h>

#include <cmath>

namespace bursar {
namespace {

std::string milliseconds_text(std::chrono::nanoseconds time) {
  return std::to_string(std::chrono::duration<double, std::milli>(time).count()) + " ms";
}

}  // namespace

std::expected<RampPolicy, std::string> RampPolicy::create(const RampPolicyOptions& options) {
  // Written so that a NaN fails.
  const bool shares_rise = options.leave_at > 0.0 && options.leave_at <= options.soft_from &&
                           options.soft_from <= options.hard_from && std::isfinite(options.hard_from);
  if (!shares_rise) {
    return std::unexpected("the limiter leaves pressure at " + std::to_string(options.leave_at) + ", is soft from " +
                           std::to_string(options.soft_from) + " and hard from " + std::to_string(options.hard_from) +
                           " of the limit; these should be above 0 and not fall in this order");
  }
  if (!(options.kept_growth >= 0.0)) {
    return std::unexpected("the limiter lets usage grow by " + std::to_string(options.kept_growth) +
                           " of the limit while the allocator keeps pages; this should be 0 or more");
  }
  if (options.min_backoff < options.min_backoff.zero() || options.max_backoff < options.min_backoff) {
    return std::unexpected("the limiter's back-off goes from " + milliseconds_text(options.min_backoff) + " to " +
                           milliseconds_text(options.max_backoff) + "; it should begin at 0 or more and not fall");
  }
  return RampPolicy(options);
}

LimiterDecision RampPolicy::operator()(const MemoryReading& reading) noexcept {
  const double share = static_cast<double>(reading.usage_bytes) / static_cast<double>(reading.limit_bytes);
  if (!kept_by_allocator(reading)) {
    state_ = next_state(share);
    return {.state = state_, .backoff = backoff(share)};
  }
  const bool beyond = share >= options_.hard_from;
  state_ = beyond ? LimiterState::Soft : LimiterState::Normal;
  return {.state = state_, .backoff = beyond ? options_.min_backoff : std::chrono::nanoseconds::zero()};
}

bool RampPolicy::kept_by_allocator(const MemoryReading& reading) const noexcept {
  if (!reading.live_bytes || !reading.lowest_since_purge_bytes) return false;
  const auto limit = static_cast<double>(reading.limit_bytes);
  const double most_usage = static_cast<double>(*reading.lowest_since_purge_bytes) + options_.kept_growth * limit;
  return static_cast<double>(*reading.live_bytes) <= options_.leave_at * limit &&
         static_cast<double>(reading.usage_bytes) <= most_usage;
}

std::chrono::nanoseconds RampPolicy::backoff(double share) const noexcept {
  if (share < options_.soft_from) return std::chrono::nanoseconds::zero();
  if (share >= options_.hard_from) return options_.max_backoff;
  const double risen = (share - options_.soft_from) / (options_.hard_from - options_.soft_from);
  const auto span = std::chrono::duration<double, std::nano>(options_.max_backoff - options_.min_backoff);
  return options_.min_backoff + std::chrono::nanoseconds(std::llround(risen * span.count()));
}

LimiterState RampPolicy::next_state(double share) const noexcept {
  if (share >= options_.hard_from) return LimiterState::Hard;
  // leave_at may equal soft_from: what begins there must not end there.
  if (share >= options_.soft_from) return state_ == LimiterState::Hard ? LimiterState::Hard : LimiterState::Soft;
  if (share <= options_.leave_at) return LimiterState::Normal;
  return state_;
}

}  // namespace bursar
