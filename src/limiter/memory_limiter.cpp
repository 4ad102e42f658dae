#include <bursar/base/bytes.h>
#include <bursar/limiter/memory_limiter.h>

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>

#include "limiter/limiter_core.h"

namespace bursar {
namespace {

// A thread that waits looks this often whether it should stop.
constexpr std::chrono::milliseconds kStopCheckInterval{1};

std::optional<std::string> unfit(const MemoryLimiterOptions& options) {
  if (options.fast_interval <= options.fast_interval.zero() || options.slow_interval < options.fast_interval) {
    return "the limiter's sampling intervals are " + std::to_string(options.fast_interval.count()) + " ns and " +
           std::to_string(options.slow_interval.count()) +
           " ns; the fast one should be above 0 and the slow one no shorter";
  }
  if (!(options.fast_from >= 0.0)) {
    return "the limiter samples fast from " + std::to_string(options.fast_from) +
           " of the limit; this should be 0 or more";
  }
  if (!options.policy) return "the limiter has an empty policy; it should be a callable such as RampPolicy()";
  for (const MemorySensor& sensor : options.usage_sensors) {
    if (!sensor) return "the limiter has an empty usage sensor; each should be a callable that gives bytes";
  }
  return std::nullopt;
}

}  // namespace

// Polls the core until it is destroyed.
class MemoryLimiter::Thread {
 public:
  // Throws std::system_error where there can be no more threads.
  explicit Thread(std::shared_ptr<detail::LimiterCore> core) : shared_(std::make_shared<Shared>(std::move(core))) {
    // Signals are for the program's threads; a new thread inherits the mask.
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
      thread_ = std::thread([shared = shared_] { run(*shared); });
    } catch (...) {
      ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
      throw;
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    ::pthread_setname_np(thread_.native_handle(), "bursar-limiter");
  }

  ~Thread() {
    {
      const std::lock_guard lock(shared_->mutex);
      shared_->stop = true;
    }
    shared_->stopping.notify_one();
    // A coroutine that was resumed right on the limiter's thread may have ended the limiter.
    if (thread_.get_id() == std::this_thread::get_id()) {
      thread_.detach();
    } else {
      thread_.join();
    }
  }

  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;

 private:
  struct Shared {
    explicit Shared(std::shared_ptr<detail::LimiterCore> limiter_core) : core(std::move(limiter_core)) {}

    const std::shared_ptr<detail::LimiterCore> core;
    std::mutex mutex;
    std::condition_variable stopping;
    bool stop = false;
  };

  static void run(Shared& shared) {
    std::unique_lock lock(shared.mutex);
    while (!shared.stop) {
      lock.unlock();
      const std::chrono::nanoseconds interval = shared.core->poll();
      lock.lock();
      shared.stopping.wait_for(lock, interval, [&shared] { return shared.stop; });
    }
  }

  const std::shared_ptr<Shared> shared_;
  std::thread thread_;
};

constinit const std::atomic<std::int64_t> MemoryLimiter::kNoBackoffNanos{0};

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

  const bool background_thread = options.background_thread;
  const std::size_t sensors = options.usage_sensors.size();
  auto core = std::make_shared<detail::LimiterCore>(limit_bytes, std::move(options));
  core->poll();
  if (!core->usage_bytes()) {
    return std::unexpected(LimiterError("none of the limiter's usage sensors (" + std::to_string(sensors) +
                                        ") gives a figure; at least one should give the bytes in use"));
  }
  std::unique_ptr<Thread> thread;
  if (background_thread) {
    try {
      thread = std::make_unique<Thread>(core);
    } catch (const std::system_error& error) {
      return std::unexpected(LimiterError("the limiter's thread cannot be started: " + error.code().message()));
    }
  }
  return MemoryLimiter(std::move(core), std::move(thread));
}

MemoryLimiter::MemoryLimiter() noexcept : backoff_nanos_(&kNoBackoffNanos) {}

MemoryLimiter::MemoryLimiter(std::shared_ptr<detail::LimiterCore> core, std::unique_ptr<Thread> thread) noexcept
    : backoff_nanos_(&core->backoff_nanos()), core_(std::move(core)), thread_(std::move(thread)) {}

MemoryLimiter::MemoryLimiter(MemoryLimiter&& other) noexcept
    : backoff_nanos_(std::exchange(other.backoff_nanos_, &kNoBackoffNanos)),
      core_(std::move(other.core_)),
      thread_(std::move(other.thread_)) {}

MemoryLimiter& MemoryLimiter::operator=(MemoryLimiter&& other) noexcept {
  MemoryLimiter taken(std::move(other));
  std::swap(backoff_nanos_, taken.backoff_nanos_);
  std::swap(core_, taken.core_);
  std::swap(thread_, taken.thread_);
  return *this;
}

MemoryLimiter::~MemoryLimiter() {
  thread_.reset();
  if (core_) core_->queue()->close();
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

std::chrono::nanoseconds MemoryLimiter::poll() const noexcept {
  return core_ ? core_->poll() : std::chrono::nanoseconds::max();
}

bool MemoryLimiter::wait(StopCheck stop, Clock::TimePoint deadline) const noexcept {
  const std::chrono::nanoseconds backoff = core_->begin_wait();
  if (backoff == backoff.zero()) return true;

  Clock& clock = core_->clock();
  const Clock::TimePoint start = clock.now();
  const Clock::TimePoint end = std::min(start + backoff, deadline);
  for (Clock::TimePoint now = start; now < end; now = clock.now()) {
    if (stop.stop_requested()) return false;
    clock.sleep_until(stop.present() ? std::min(now + kStopCheckInterval, end) : end);
  }
  return start + backoff <= deadline;
}

}  // namespace bursar
