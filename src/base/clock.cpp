#include <bursar/base/clock.h>

#include <time.h>

#include <cerrno>

namespace bursar {
namespace {

class MonotonicClock final : public Clock {
 public:
  TimePoint now() const noexcept override { return std::chrono::steady_clock::now(); }

  void sleep_until(TimePoint time) noexcept override {
    const auto since_epoch = time.time_since_epoch();
    const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
    const timespec until{.tv_sec = static_cast<time_t>(seconds.count()),
                         .tv_nsec = std::chrono::nanoseconds(since_epoch - seconds).count()};
    // steady_clock is CLOCK_MONOTONIC in both standard libraries; an absolute time makes starting again after a signal
    // exact.
    while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) == EINTR) {
    }
  }
};

}  // namespace

Clock& monotonic_clock() noexcept {
  static MonotonicClock clock;
  return clock;
}

}  // namespace bursar
