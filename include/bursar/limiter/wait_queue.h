#pragma once

#include <bursar/base/clock.h>

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

namespace bursar::detail {

class Alarm;

// The coroutines that wait for their back-off to pass, ordered by when it has.
//
// Thread-safety: yes. Allocates: a node for each entry. Blocks: for its mutex, which is never held while an entry is
// handed over; `remove` also while another thread hands the entry over.
class WaitQueue {
  struct HandOver;

 public:
  struct Entry;
  using Waiting = std::multimap<Clock::TimePoint, Entry*>;

  struct Entry {
    // Gives the waiting coroutine to its executor; the entry may be gone afterwards. False where the executor failed
    // and the coroutine still waits.
    virtual bool hand_over() noexcept = 0;
    // Resumes the coroutine on this thread; the entry may be gone afterwards.
    virtual void resume_here() noexcept = 0;

    // The queue's own, guarded by its mutex.
    std::optional<Waiting::iterator> place;  // while it is in the queue
    HandOver* current_hand_over = nullptr;   // while some thread hands it over

    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

   protected:
    Entry() = default;
    ~Entry() = default;
  };

  // The alarm, where there is one, is rung when an entry is due before it was promised to be looked at.
  explicit WaitQueue(std::shared_ptr<Alarm> alarm = nullptr) noexcept;
  ~WaitQueue();
  WaitQueue(const WaitQueue&) = delete;
  WaitQueue& operator=(const WaitQueue&) = delete;

  // The entry is handed over at `due` or soon after: by the time this returns it may be gone. False where the queue is
  // closed and the entry was not taken.
  [[nodiscard]] bool add(Entry& entry, Clock::TimePoint due);

  // After this the queue does not know the entry any more, and no other thread is inside its hand-over.
  void remove(Entry& entry) noexcept;

  // Hands over what is due, earliest first. What an executor failed to take is due again a little later.
  void hand_over_due(Clock::TimePoint now) noexcept;

  // The same for all that wait now, due or not.
  void hand_over_all(Clock::TimePoint now) noexcept;

  // Hands over everything and takes nothing more. What an executor fails to take is resumed on the calling thread.
  void close() noexcept;

  // Promises that what is due will be handed over at `time`, or when the first entry is due where that is earlier.
  // Returns which.
  [[nodiscard]] Clock::TimePoint promise(Clock::TimePoint time) noexcept;

 private:
  void hand_over_first(std::unique_lock<std::mutex>& lock, std::optional<Clock::TimePoint> retry_at) noexcept;

  const std::shared_ptr<Alarm> alarm_;
  std::mutex mutex_;
  std::condition_variable handed_over_;
  Waiting waiting_;
  Clock::TimePoint promised_ = Clock::TimePoint::max();
  bool closed_ = false;
};

}  // namespace bursar::detail
