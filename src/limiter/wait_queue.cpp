#include <bursar/limiter/wait_queue.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <utility>

#include "limiter/alarm.h"

namespace bursar::detail {
namespace {

constexpr std::chrono::milliseconds kRetryAfter{1};

}  // namespace

// Lives on the stack of the thread that hands an entry over.
struct WaitQueue::HandOver {
  Entry* entry;  // nullptr once the coroutine ran on that very thread and took the entry with it
  std::thread::id thread;
};

WaitQueue::WaitQueue(std::shared_ptr<Alarm> alarm) noexcept : alarm_(std::move(alarm)) {}

WaitQueue::~WaitQueue() = default;

bool WaitQueue::add(Entry& entry, Clock::TimePoint due) {
  bool early = false;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return false;
    entry.place = waiting_.emplace(due, &entry);
    early = due < promised_;
    // Whoever is rung for promises anew; until then one ring is enough.
    promised_ = std::min(promised_, due);
  }
  if (early && alarm_) alarm_->ring();
  return true;
}

void WaitQueue::remove(Entry& entry) noexcept {
  std::unique_lock lock(mutex_);
  if (entry.place) {
    waiting_.erase(*entry.place);
    entry.place.reset();
    return;
  }
  if (entry.current_hand_over == nullptr) return;
  if (entry.current_hand_over->thread == std::this_thread::get_id()) {
    entry.current_hand_over->entry = nullptr;
    return;
  }
  // The other thread is inside the executor of the coroutine. Whoever ends the coroutine may go on to end the executor,
  // so it has to be let out first.
  handed_over_.wait(lock, [&entry] { return entry.current_hand_over == nullptr; });
}

void WaitQueue::hand_over_due(Clock::TimePoint now) noexcept {
  std::unique_lock lock(mutex_);
  while (!waiting_.empty() && waiting_.begin()->first <= now) hand_over_first(lock, now + kRetryAfter);
}

void WaitQueue::hand_over_all(Clock::TimePoint now) noexcept {
  std::unique_lock lock(mutex_);
  // What an executor fails to take comes back to the queue.
  for (std::size_t count = waiting_.size(); count > 0 && !waiting_.empty(); --count) {
    hand_over_first(lock, now + kRetryAfter);
  }
}

void WaitQueue::close() noexcept {
  std::unique_lock lock(mutex_);
  closed_ = true;
  while (!waiting_.empty()) hand_over_first(lock, std::nullopt);
}

Clock::TimePoint WaitQueue::promise(Clock::TimePoint time) noexcept {
  const std::lock_guard lock(mutex_);
  promised_ = waiting_.empty() ? time : std::min(time, waiting_.begin()->first);
  return promised_;
}

void WaitQueue::hand_over_first(std::unique_lock<std::mutex>& lock, std::optional<Clock::TimePoint> retry_at) noexcept {
  // The node is kept, so that putting it back needs no memory.
  auto node = waiting_.extract(waiting_.begin());
  HandOver hand_over{.entry = node.mapped(), .thread = std::this_thread::get_id()};
  hand_over.entry->place.reset();
  hand_over.entry->current_hand_over = &hand_over;

  lock.unlock();
  const bool taken = hand_over.entry->hand_over();
  if (!taken && !retry_at) hand_over.entry->resume_here();
  lock.lock();

  // Another thread that removes the entry waits for what follows, so the entry is there unless this thread removed it.
  if (hand_over.entry == nullptr) return;
  hand_over.entry->current_hand_over = nullptr;
  if (!taken && retry_at) {
    node.key() = *retry_at;
    hand_over.entry->place = waiting_.insert(std::move(node));
  }
  handed_over_.notify_all();
}

}  // namespace bursar::detail
