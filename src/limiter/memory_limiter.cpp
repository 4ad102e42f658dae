#include <bursar/base/bytes.h>
#include <bursar/limiter/memory_limiter.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <system_error>

#include "limiter/limiter_core.h"
#include "limiter/limiter_thread.h"

namespace bursar {
namespace {

// A thread that waits looks this often whether it should stop.
constexpr std::chrono::milliseconds kStopCheckInterval{1};
// And this often whether it still has to wait.
constexpr std::chrono::milliseconds kNap{5};

std::optional<std::string> unfit(const MemoryLimiterOptions& options) {
  if (options.fast_interval <= options.fast_interval.zero() || options.slow_interval < options.fast_interval) {
    return "the limiter's sampling intervals are " + std::to_string(options.fast_interval.count()) + " ns and " +
           std::to_string(options.slow_interval.count()) +
           " ns; the fast one should be above 0 and the slow one no shorter";
  }
  if (!(options.cpu_share > 0.0)) {
    return "the limiter's share of a core is " + std::to_string(options.cpu_share) + "; it should be above 0";
  }
  if (!(options.reclaim_to >= 0.0 && options.reclaim_to <= 1.0)) {
    return "the limiter asks for memory down to " + std::to_string(options.reclaim_to) +
           " of the limit; this should be from 0 to 1";
  }
  if (!options.policy) return "the limiter has an empty policy; it should be a callable such as RampPolicy()";
  for (const MemorySensor& sensor : options.usage_sensors) {
    if (!sensor) return "the limiter has an empty usage sensor; each should be a callable that gives bytes";
  }
  return std::nullopt;
}

}  // namespace

constinit const std::atomic<bool> MemoryLimiter::kNoAttention{false};

std::expected<MemoryLimiter, LimiterError> MemoryLimiter::create(const MemoryGrant& grant,
                                                                 MemoryLimiterOptions options) {
  if (options.mode == LimiterMode::Off) return noop();
  if (auto message = unfit(options)) return std::unexpected(LimiterError(*std::move(message)));
  const std::uint64_t limit_bytes = grant.effective_limit_bytes();
  if (limit_bytes == 0) {
    return std::unexpected(LimiterError("the effective memory limit is 0 B; it should be 1 B at least"));
  }
  if (options.usage_sensors.empty()) {
    auto sensor = resident_size_sensor(options.system_root);
    if (!sensor) return std::unexpected(LimiterError(std::move(sensor).error()));
    options.usage_sensors.push_back(*std::move(sensor));
  }

  try {
    return start(limit_bytes, std::move(options));
  } catch (const std::system_error& error) {
    return std::unexpected(LimiterError("the limiter's thread cannot be started: " + error.code().message()));
  }
}

std::expected<MemoryLimiter, LimiterError> MemoryLimiter::start(std::uint64_t limit_bytes,
                                                                MemoryLimiterOptions options) {
  const std::size_t sensors = options.usage_sensors.size();
  const detail::LimiterThread::Settings settings{.cpu_share = options.cpu_share,
                                                 .most_cpu_saved = options.most_cpu_saved};
  std::optional<std::string> no_trigger;
  std::shared_ptr<const PressureTrigger> trigger;
  std::shared_ptr<detail::Alarm> alarm;
  const bool background_thread = options.background_thread;
  if (background_thread) {
    alarm = std::make_shared<detail::Alarm>();
    if (options.listens_for_stalls) trigger = options.stall_trigger;
    if (options.listens_for_stalls && !trigger) {
      auto opened = PressureTrigger::open(options.system_root);
      if (opened) {
        trigger = std::make_shared<const PressureTrigger>(*std::move(opened));
      } else {
        no_trigger = std::move(opened).error();
      }
    }
  }
  auto core = std::make_shared<detail::LimiterCore>(limit_bytes, std::move(options), alarm);
  core->poll();
  const std::optional<std::uint64_t> usage = core->usage_bytes();
  if (!usage) {
    return std::unexpected(LimiterError("none of the limiter's usage sensors (" + std::to_string(sensors) +
                                        ") gives a figure; at least one should give the bytes in use"));
  }
  if (no_trigger) core->record(LimiterEventKind::Notice, "no word of memory stalls from the kernel: " + *no_trigger);
  if (*usage > core->limit_bytes()) {
    core->record(LimiterEventKind::Notice, "the process uses " + format_bytes(*usage) +
                                               " already, more than its effective limit of " +
                                               format_bytes(core->limit_bytes()) + "; the limit should be higher");
  }
  std::unique_ptr<detail::LimiterThread> thread;
  if (background_thread) {
    thread = std::make_unique<detail::LimiterThread>(core, std::move(alarm), std::move(trigger), settings);
  }
  return MemoryLimiter(std::move(core), std::move(thread));
}

MemoryLimiter::MemoryLimiter() noexcept : attention_(&kNoAttention) {}

MemoryLimiter::MemoryLimiter(std::shared_ptr<detail::LimiterCore> core,
                             std::unique_ptr<detail::LimiterThread> thread) noexcept
    : attention_(&core->attention()), core_(std::move(core)), thread_(std::move(thread)) {}

MemoryLimiter::MemoryLimiter(MemoryLimiter&& other) noexcept
    : attention_(std::exchange(other.attention_, &kNoAttention)),
      core_(std::move(other.core_)),
      thread_(std::move(other.thread_)) {}

MemoryLimiter& MemoryLimiter::operator=(MemoryLimiter&& other) noexcept {
  MemoryLimiter taken(std::move(other));
  std::swap(attention_, taken.attention_);
  std::swap(core_, taken.core_);
  std::swap(thread_, taken.thread_);
  return *this;
}

MemoryLimiter::~MemoryLimiter() {
  thread_.reset();
  if (core_) core_->queue()->close();
}

std::chrono::nanoseconds MemoryLimiter::active_backoff() const noexcept {
  return core_ ? core_->backoff() : std::chrono::nanoseconds::zero();
}

LimiterState MemoryLimiter::state() const noexcept {
  return core_ ? core_->state() : LimiterState::Normal;
}

bool MemoryLimiter::should_shed() const noexcept {
  return core_ && core_->mode() == LimiterMode::On && core_->state() == LimiterState::Hard;
}

LimiterMode MemoryLimiter::mode() const noexcept {
  return core_ ? core_->mode() : LimiterMode::Off;
}

std::optional<std::uint64_t> MemoryLimiter::usage_bytes() const noexcept {
  return core_ ? core_->usage_bytes() : std::nullopt;
}

std::optional<std::uint64_t> MemoryLimiter::effective_limit_bytes() const noexcept {
  return core_ ? std::optional(core_->limit_bytes()) : std::nullopt;
}

std::uint64_t MemoryLimiter::waits_total() const noexcept {
  return core_ ? core_->waits_total() : 0;
}

std::uint64_t MemoryLimiter::failed_readings_total() const noexcept {
  return core_ ? core_->failed_readings_total() : 0;
}

std::uint64_t MemoryLimiter::looks_total() const noexcept {
  return core_ ? core_->looks_total() : 0;
}

std::vector<LimiterEvent> MemoryLimiter::events(std::uint64_t after_sequence) const {
  return core_ ? core_->events().since(after_sequence) : std::vector<LimiterEvent>();
}

ReclaimRegistration MemoryLimiter::on_reclaim(std::string name, OverdraftFigure overdraft_bytes,
                                              ReclaimCallback reclaim) const {
  if (!core_ || !reclaim) return {};
  const auto& list = core_->reclaim_list();
  return {list, list->add(std::move(name), std::move(overdraft_bytes), std::move(reclaim))};
}

std::chrono::nanoseconds MemoryLimiter::poll() const noexcept {
  return core_ ? core_->poll().interval : std::chrono::nanoseconds::max();
}

bool MemoryLimiter::wait(StopCheck stop, Clock::TimePoint deadline) const noexcept {
  const std::chrono::nanoseconds backoff = core_->begin_wait();
  if (backoff == backoff.zero()) return true;

  Clock& clock = core_->clock();
  const Clock::TimePoint start = clock.now();
  const Clock::TimePoint end = std::min(start + backoff, deadline);
  for (Clock::TimePoint now = start; now < end; now = clock.now()) {
    if (stop.stop_requested()) return false;
    if (now != start && core_->backoff() == backoff.zero()) return true;
    clock.sleep_until(std::min(now + (stop.present() ? kStopCheckInterval : kNap), end));
  }
  return start + backoff <= deadline;
}

}  // namespace bursar
