#include "limiter/limiter_thread.h"

#include <bursar/limiter/cpu_budget.h>

#include <poll.h>
#include <pthread.h>
#include <time.h>

#include <array>
#include <atomic>
#include <utility>

#include "base/blocked_signals.h"

namespace bursar::detail {
namespace {

using SteadyClock = std::chrono::steady_clock;

std::chrono::nanoseconds cpu_time() noexcept {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

struct LimiterThread::Shared {
  std::shared_ptr<LimiterCore> core;
  std::shared_ptr<Alarm> alarm;
  std::shared_ptr<const PressureTrigger> trigger;
  Settings settings;
  std::atomic<bool> stop{false};
};

LimiterThread::LimiterThread(std::shared_ptr<LimiterCore> core, std::shared_ptr<Alarm> alarm,
                             std::shared_ptr<const PressureTrigger> trigger, Settings settings)
    : shared_(std::make_shared<Shared>(std::move(core), std::move(alarm), std::move(trigger), settings)) {
  {
    const BlockedSignals blocked;
    thread_ = std::thread([shared = shared_] { run(*shared); });
  }
  ::pthread_setname_np(thread_.native_handle(), "bursar-limiter");
}

LimiterThread::~LimiterThread() {
  // Pairs with the acquire in `run`.
  shared_->stop.store(true, std::memory_order_release);
  shared_->alarm->ring();
  // A coroutine that was resumed right on the limiter's thread may have ended the limiter.
  if (thread_.get_id() == std::this_thread::get_id()) {
    thread_.detach();
  } else {
    thread_.join();
  }
}

void LimiterThread::run(Shared& shared) noexcept {
  CpuBudget budget(shared.settings.cpu_share, shared.settings.most_cpu_saved);
  constexpr int kNone = -1;  // is left out by poll
  int trigger = shared.trigger ? shared.trigger->descriptor() : kNone;
  std::array<pollfd, 2> sources{{
      {.fd = shared.alarm->descriptor(), .events = POLLIN, .revents = 0},
      {.fd = trigger, .events = POLLPRI, .revents = 0},
  }};
  std::chrono::nanoseconds used_before = cpu_time();
  SteadyClock::time_point noted_at = SteadyClock::now();
  while (!shared.stop.load(std::memory_order_acquire)) {
    const LimiterCore::Poll polled = shared.core->poll(budget.least_interval(), budget.saving_interval());
    const std::chrono::nanoseconds used = cpu_time();
    const SteadyClock::time_point now = SteadyClock::now();
    // What it took to have memory given back is not the price of looking.
    if (!polled.busy) budget.note(now - noted_at, used - used_before);
    used_before = used;
    noted_at = now;

    const auto seconds = std::chrono::floor<std::chrono::seconds>(polled.interval);
    const timespec timeout{.tv_sec = static_cast<time_t>(seconds.count()),
                           .tv_nsec = (polled.interval - seconds).count()};
    const int ready = ::ppoll(sources.data(), sources.size(), &timeout, nullptr);
    // A trigger that has just gone off is left alone for one interval.
    sources[1].fd = trigger;
    if (ready <= 0) continue;
    if (sources[0].revents != 0) shared.alarm->clear();
    if (sources[1].revents == POLLPRI) {
      shared.core->note_stall();
      sources[1].fd = kNone;
    } else if (sources[1].revents != 0) {
      trigger = kNone;
      sources[1].fd = kNone;
      shared.core->record(LimiterEventKind::Notice, "the kernel's word of memory stalls has ended");
    }
  }
}

}  // namespace bursar::detail
