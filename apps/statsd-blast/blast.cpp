#include "blast.h"

#include <time.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <system_error>

#include "line_generator.h"
#include "pacer.h"
#include "packet.h"

namespace bursar::blast {
namespace {

using Clock = std::chrono::steady_clock;

// How long a packet that has been begun may still wait for room when the run is over.
constexpr std::chrono::seconds kGrace{2};

// Sleeping for less costs more than it keeps the traffic even.
constexpr std::chrono::milliseconds kShortestSleep{1};

// Ends early when a signal arrives, unlike the sleeping functions of the standard library.
void sleep_interruptibly(Clock::duration duration) {
  const auto nanos = std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count();
  const timespec time{.tv_sec = static_cast<time_t>(nanos / 1'000'000'000), .tv_nsec = nanos % 1'000'000'000};
  ::nanosleep(&time, nullptr);
}

class Run {
 public:
  Run(const BlastOptions& options, Target& target, const volatile std::sig_atomic_t& interrupted)
      : options_(options),
        target_(target),
        interrupted_(interrupted),
        generator_(options.contexts, options.types, options.seed),
        packet_(options.packet_bytes),
        start_(Clock::now()) {}

  BlastReport run() {
    const Pacer pacer(options_.lines_per_second, start_);
    while (!is_over() && report_.fatal_error.empty()) {
      const std::uint64_t due = std::min(pacer.due(made_, Clock::now()), remaining_lines());
      if (due == 0) {
        const auto wait = std::min(pacer.next(made_), deadline()) - Clock::now();
        sleep_interruptibly(std::max<Clock::duration>(wait, kShortestSleep));
        continue;
      }
      fill_packet(due);
      send_packet();
    }
    report_.seconds = std::chrono::duration<double>(Clock::now() - start_).count();
    return report_;
  }

 private:
  [[nodiscard]] Clock::time_point deadline() const {
    return options_.duration.count() == 0 ? Clock::time_point::max() : start_ + options_.duration;
  }
  [[nodiscard]] std::uint64_t remaining_lines() const {
    return options_.lines == 0 ? Pacer::kUnlimited : options_.lines - made_;
  }
  [[nodiscard]] bool is_over() const {
    return interrupted_ != 0 || remaining_lines() == 0 || Clock::now() >= deadline();
  }

  // A line that found no room in the last packet is the first of this one.
  void fill_packet(std::uint64_t max_lines) {
    packet_.clear();
    while (packet_.lines() < max_lines) {
      if (!has_pending_) pending_ = generator_.next();
      has_pending_ = !packet_.fits(pending_);
      if (has_pending_) return;
      packet_.add(pending_, generator_.type());
      ++made_;
    }
  }

  void send_packet() {
    std::optional<Clock::time_point> give_up;
    const SendResult result = target_.send(packet_.text(), [&] {
      if (!is_over()) return false;
      if (!give_up) give_up = Clock::now() + kGrace;
      return Clock::now() >= *give_up;
    });
    if (result.outcome == SendResult::Outcome::kSent) {
      report_.add_sent(packet_);
      return;
    }
    report_.add_failed(packet_, result.sent_bytes, result.error);
    if (result.outcome == SendResult::Outcome::kClosed) {
      report_.fatal_error =
          "connection to " + options_.target.text + ": " + std::generic_category().message(result.error);
    }
  }

  const BlastOptions& options_;
  Target& target_;
  const volatile std::sig_atomic_t& interrupted_;
  LineGenerator generator_;
  Packet packet_;
  BlastReport report_;
  std::string_view pending_;
  bool has_pending_ = false;
  std::uint64_t made_ = 0;
  Clock::time_point start_;
};

}  // namespace

BlastReport run_blast(const BlastOptions& options, Target& target, const volatile std::sig_atomic_t& interrupted) {
  return Run(options, target, interrupted).run();
}

}  // namespace bursar::blast
