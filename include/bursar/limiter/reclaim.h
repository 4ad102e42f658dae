#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace bursar {

// By how many bytes a component is beyond what it declared; 0 inside its bounds. Must not throw.
using OverdraftFigure = std::function<std::uint64_t()>;

// Asks a component to give memory back: it is told how many bytes are wanted and returns how many it freed. It runs on
// the limiter's thread, which does nothing else meanwhile, so it should be quick; it must not wait for capacity.
using ReclaimCallback = std::function<std::uint64_t(std::uint64_t wanted_bytes)>;

namespace detail {

// Whoever can give memory back.
//
// Thread-safety: yes. Allocates: yes. Blocks: for its mutex, which is not held while a callback runs; `remove` also
// while another thread is inside the callback of that entry.
class ReclaimList {
 public:
  struct Entry {
    std::string name;
    OverdraftFigure overdraft;
    ReclaimCallback reclaim;
    bool removed = false;
    bool running = false;
    std::thread::id thread;  // while it is running
  };
  // What one of them gave back.
  using Listener = std::function<void(const std::string& name, std::uint64_t freed_bytes)>;

  [[nodiscard]] std::shared_ptr<Entry> add(std::string name, OverdraftFigure overdraft, ReclaimCallback reclaim);

  // After this no other thread is inside a callback of the entry, and none will be.
  void remove(Entry& entry) noexcept;

  [[nodiscard]] bool empty() const noexcept;

  // Asks one after the other, the largest overdraft first, until so many bytes have come back. A callback that throws
  // gave nothing. Returns the bytes. REQUIRES: one round at a time.
  std::uint64_t reclaim(std::uint64_t wanted_bytes, const Listener& listener);

 private:
  template <typename Callback>
  [[nodiscard]] std::uint64_t call(Entry& entry, const Callback& callback);

  mutable std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::shared_ptr<Entry>> entries_;
};

}  // namespace detail

// While it lives, the component can be asked to give memory back. Its end waits for a callback that is running, unless
// it is that callback which ends it. It may outlive the limiter.
//
// Thread-safety: as a value. Allocates: no. Blocks: its end, as said.
class [[nodiscard]] ReclaimRegistration {
 public:
  ReclaimRegistration() = default;  // of nothing
  ReclaimRegistration(std::shared_ptr<detail::ReclaimList> list,
                      std::shared_ptr<detail::ReclaimList::Entry> entry) noexcept;
  ReclaimRegistration(ReclaimRegistration&& other) noexcept = default;
  ReclaimRegistration& operator=(ReclaimRegistration&& other) noexcept;
  ~ReclaimRegistration();

 private:
  void end() noexcept;

  std::shared_ptr<detail::ReclaimList> list_;
  std::shared_ptr<detail::ReclaimList::Entry> entry_;
};

}  // namespace bursar
