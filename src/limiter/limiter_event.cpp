#include <bursar/base/bytes.h>
#include <bursar/limiter/limiter_event.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

namespace bursar {
namespace {

template <typename... Values>
std::string formatted(const char* format, Values... values) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), format, values...);
  return text.data();
}

std::string standing(const LimiterEvent& event) {
  std::string text;
  if (event.usage_bytes) {
    const double share = static_cast<double>(*event.usage_bytes) / static_cast<double>(event.limit_bytes);
    text = format_bytes(*event.usage_bytes) + " of " + format_bytes(event.limit_bytes) +
           formatted(" (%.1f %%)", share * 100);
  } else {
    text = "usage unknown, limit " + format_bytes(event.limit_bytes);
  }
  const std::chrono::duration<double, std::milli> backoff = event.backoff;
  if (backoff.count() > 0) text += formatted(", back-off %.1f ms", backoff.count());
  return text;
}

}  // namespace

std::string_view to_string(LimiterEventKind kind) noexcept {
  switch (kind) {
    case LimiterEventKind::StateChanged:
      return "state_changed";
    case LimiterEventKind::SensorFailing:
      return "sensor_failing";
    case LimiterEventKind::SensorLost:
      return "sensor_lost";
    case LimiterEventKind::SensorRecovered:
      return "sensor_recovered";
    case LimiterEventKind::Purged:
      return "purged";
    case LimiterEventKind::Reclaimed:
      return "reclaimed";
    case LimiterEventKind::MemoryStall:
      return "memory_stall";
    case LimiterEventKind::Notice:
      return "notice";
  }
  return "unknown";
}

std::string describe(const LimiterEvent& event) {
  switch (event.kind) {
    case LimiterEventKind::StateChanged:
      return "state " + std::string(to_string(event.before)) + " -> " + std::string(to_string(event.state)) + ", " +
             standing(event);
    case LimiterEventKind::SensorFailing:
      return "no figure from " + event.message + "; its last good one counts for a while";
    case LimiterEventKind::SensorLost:
      return "no figure from " + event.message + "; it does not count until it answers again";
    case LimiterEventKind::SensorRecovered:
      return "figures again from " + event.message;
    case LimiterEventKind::Purged:
      return "the allocator was asked for its free memory and gave " + format_bytes(event.freed_bytes) + " back, " +
             standing(event);
    case LimiterEventKind::Reclaimed:
      return event.message + " gave " + format_bytes(event.freed_bytes) + " back, " + standing(event);
    case LimiterEventKind::MemoryStall:
      return "tasks stall for lack of memory, " + standing(event);
    case LimiterEventKind::Notice:
      return event.message;
  }
  return event.message;
}

void EventRecord::add(LimiterEvent event) noexcept {
  const std::lock_guard lock(mutex_);
  event.sequence = ++last_sequence_;
  if (events_.size() < kCapacity) {
    events_.push_back(std::move(event));  // reserved
  } else {
    events_[(last_sequence_ - 1) % kCapacity] = std::move(event);
  }
}

std::vector<LimiterEvent> EventRecord::since(std::uint64_t sequence) const {
  const std::lock_guard lock(mutex_);
  const std::uint64_t oldest = last_sequence_ - events_.size();
  std::vector<LimiterEvent> found;
  for (std::uint64_t number = std::max(sequence, oldest) + 1; number <= last_sequence_; ++number) {
    found.push_back(events_[(number - 1) % kCapacity]);
  }
  return found;
}

std::uint64_t EventRecord::last_sequence() const noexcept {
  const std::lock_guard lock(mutex_);
  return last_sequence_;
}

}  // namespace bursar
