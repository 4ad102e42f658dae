#pragma once

#include <bursar/base/process_wide.h>
#include <bursar/base/zeroed_atomic.h>
#include <bursar/cpu/thread_clock.h>
#include <bursar/groups/counter.h>
#include <bursar/groups/group_index.h>

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

// The ledger's innermost part: what one thread has charged to each group. Whoever counts goes through here; users of
// Bursar have tokens and guards, and nothing in this file is promised to them.
namespace bursar::groups {

inline constexpr std::size_t kPageBytes = 4096;

// What one thread has charged to one group: a cache line of its own.
struct alignas(64) GroupCell {
  Counter allocated_bytes;
  Counter allocated_objects;
  Counter deallocated_bytes;
  Counter deallocated_objects;
  Counter cpu_nanos;
  Counter entries;  // how often a guard, or another that charges by token, came in...
  Counter exits;    // ...and left. Guards may end on another thread: only the sums over all threads are equal.
  // The value of `allocated_bytes` at which the thread glances at its growth again.
  ZeroedAtomic<std::uint64_t> next_glance_bytes;
};
static_assert(sizeof(GroupCell) == 64);
static_assert(kGroupsPerPage * sizeof(GroupCell) == kPageBytes);

// What a thread watches of its growth in one group.
struct GrowthWatch {
  ZeroedAtomic<std::int64_t> allowance;     // the net bytes from which on the group's peak has to be looked at
  ZeroedAtomic<std::uint64_t> noted_bytes;  // what of `allocated_bytes` is in the thread's own sum
};

// One thread's books: a cell for every group that there can be, mapped from the kernel in one piece, of which only the
// pages that are used ever become resident (4 KiB for each 64 groups, and 4 KiB for each 256). An account is never unmapped: when its thread
// ends another takes it over and counts on, so nothing has to be folded, and a reader may look at any time.
//
// Thread-safety: functions marked "owner" belong to the thread that owns the account; the others to any.
// Allocates: no. Blocks: no.
class alignas(kPageBytes) ThreadAccount {
 public:
  // Of guards nested deeper than this, one that ends out of order is not noticed.
  static constexpr std::uint32_t kMaxDepth = 1024;

  // Owner. The group that the thread is in.
  [[nodiscard]] GroupIndex current() const noexcept { return current_.load(std::memory_order_relaxed); }
  // Any thread.
  [[nodiscard]] GroupIndex current_seen_from_outside() const noexcept {
    return current_.load(std::memory_order_acquire);
  }

  // Owner. The group that allocations are charged to.
  [[nodiscard]] GroupIndex allocating() const noexcept { return allocating_.load(std::memory_order_relaxed); }

  // Owner. Charges a block of `bytes` to the group that allocations are charged to, and says which it was.
  GroupIndex charge_allocation(std::uint64_t bytes) noexcept {
    const GroupIndex group = allocating();
    charge_allocation_to(group, bytes);
    return group;
  }

  // Owner. REQUIRES: the thread is in the group, or the group cannot be retired meanwhile.
  void charge_allocation_to(GroupIndex group, std::uint64_t bytes) noexcept {
    if (add_allocation(group, bytes)) [[unlikely]] {
      glance_at_growth(group, nullptr);
    }
  }

  // The same, in two steps: true where `glance_at_growth` is due, which answers `block`, so that it can be the last
  // call.
  [[nodiscard]] bool add_allocation(GroupIndex group, std::uint64_t bytes) noexcept {
    GroupCell& cell = cells_[group];
    cell.allocated_bytes.add(bytes);
    cell.allocated_objects.add(1);
    return cell.allocated_bytes.load() >= cell.next_glance_bytes.load(std::memory_order_relaxed);
  }
  [[gnu::cold, gnu::noinline]] void* glance_at_growth(GroupIndex group, void* block) noexcept;

  // Glances are at least so many allocated bytes apart, and at most so many.
  static constexpr std::int64_t kNearestGlanceBytes = std::int64_t{4} << 10;
  static constexpr std::int64_t kFarthestGlanceBytes = std::int64_t{64} << 10;

  // Owner. All that the thread has allocated: exact for the group that it is in, for each other one up to the farthest
  // glance.
  [[nodiscard]] std::uint64_t allocated_bytes() const noexcept {
    const GroupIndex group = allocating();
    return noted_bytes_ + cells_[group].allocated_bytes.load() -
           watches_[group].noted_bytes.load(std::memory_order_relaxed);
  }

  // Any thread. What the thread has allocated in the group less what it has released; below zero where it releases what
  // others allocate.
  [[nodiscard]] std::int64_t net_bytes(GroupIndex group) const noexcept {
    const std::uint64_t deallocated = cells_[group].deallocated_bytes.load();
    return static_cast<std::int64_t>(cells_[group].allocated_bytes.load() - deallocated);
  }
  // Any thread, one at a time. How far that may go until the group's peak has to be looked at.
  [[nodiscard]] std::int64_t allowance(GroupIndex group) const noexcept {
    return watches_[group].allowance.load(std::memory_order_seq_cst);
  }
  void set_allowance(GroupIndex group, std::int64_t bytes) noexcept {
    // In this order, and sequentially consistent as in `glance_at_growth`: either the owner sees the new allowance, or
    // its next glance is at once.
    watches_[group].allowance.store(bytes, std::memory_order_seq_cst);
    cells_[group].next_glance_bytes.store(0, std::memory_order_seq_cst);
  }

  // Owner. Credits the group that a block was charged to.
  void charge_release(GroupIndex group, std::uint64_t bytes) noexcept {
    touch(group);
    GroupCell& cell = cells_[group];
    cell.deallocated_bytes.add(bytes);
    cell.deallocated_objects.add(1);
  }

  // Owner. From now on `group` is charged. The CPU time since the last change goes to the group that is left.
  void switch_to(GroupIndex group) noexcept {
    touch(group);
    const std::uint32_t change = change_.load(std::memory_order_relaxed);
    if ((change & 1U) != 0) {
      // A signal handler has interrupted a change. What it uses of the CPU goes to the group that is being left.
      current_.store(group, std::memory_order_release);
      allocating_.store(group, std::memory_order_relaxed);
      return;
    }
    // The releases below keep the odd number before everything a reader could see of the change.
    change_.store(change + 1, std::memory_order_relaxed);
    const std::uint64_t lap_nanos = clock_.lap();
    cells_[current()].cpu_nanos.add(lap_nanos);
    current_.store(group, std::memory_order_release);
    allocating_.store(group, std::memory_order_relaxed);
    change_.store(change + 2, std::memory_order_release);
  }

  // Owner. Allocations alone are charged to `group`, until it is called again with what it answered or the thread
  // changes groups.
  GroupIndex exchange_allocating(GroupIndex group) noexcept {
    const GroupIndex previous = allocating_.load(std::memory_order_relaxed);
    touch(group);
    allocating_.store(group, std::memory_order_relaxed);
    return previous;
  }

  // Owner. The stack of guards: `push` answers the guard's place in it, `pop` takes it out and says which group is
  // charged from now on. A guard that ends before one that was made after it is only marked, and is taken out with it.
  [[nodiscard]] std::uint32_t push_guard() noexcept { return depth_++; }
  [[nodiscard]] GroupIndex pop_guard(std::uint32_t place, GroupIndex previous) noexcept;
  [[nodiscard]] bool is_innermost(std::uint32_t life, std::uint32_t place) const noexcept {
    return life == life_.load(std::memory_order_relaxed) && place + 1 == depth_;
  }
  // Any thread: for a guard that ends out of order. That of a thread which ended before it is of no consequence to the
  // one that has the account by now.
  void mark_guard_ended(std::uint32_t life, std::uint32_t place, GroupIndex previous) noexcept {
    if (place >= kMaxDepth || life != life_.load(std::memory_order_relaxed)) return;
    ended_guards_[place].store(ended_mark(life) | previous, std::memory_order_release);
  }
  // Counts the threads that have had the account.
  [[nodiscard]] std::uint32_t life() const noexcept { return life_.load(std::memory_order_relaxed); }

  [[nodiscard]] GroupCell& cell(GroupIndex group) noexcept { return cells_[group]; }
  [[nodiscard]] const GroupCell& cell(GroupIndex group) const noexcept { return cells_[group]; }

  // Whether any group of the page was ever charged here. What was not need not be read, and stays unmapped.
  [[nodiscard]] bool touched(std::size_t page) const noexcept {
    return touched_pages_[page].load(std::memory_order_acquire);
  }
  // Owner (or any, on the shared account). Relaxed: the release of the counter that follows publishes it.
  void touch(GroupIndex group) noexcept {
    touched_pages_[group / kGroupsPerPage].store(true, std::memory_order_relaxed);
  }

  // The CPU time of the group that the thread is in, with the stretch that is still running.
  struct RunningStretch {
    GroupIndex group;
    std::uint64_t cpu_nanos;
  };
  // Any thread. False where no thread owns the account, or it changes groups too fast to be caught, in which case its
  // cells alone are right. Cost: a system call; naps where the owner lost the processor in the middle of a change.
  [[nodiscard]] bool read_running_stretch(RunningStretch& out) const noexcept;

  [[nodiscard]] bool owned() const noexcept { return owned_.load(std::memory_order_acquire); }
  [[nodiscard]] ThreadAccount* next() const noexcept { return next_; }

 private:
  friend class AccountList;

  // The group that the guard was made in is added to it.
  static constexpr std::uint64_t ended_mark(std::uint32_t life) noexcept {
    return std::uint64_t{life} << 32 | std::uint64_t{1} << 16;
  }

  void begin(pid_t thread) noexcept;
  void end() noexcept;
  void abandon() noexcept;

  std::atomic<GroupIndex> allocating_{kRootIndex};  // the same as `current_` but for a detour of a few instructions
  std::atomic<GroupIndex> current_{kRootIndex};
  std::uint32_t depth_ = 0;
  // Odd while the owner changes groups: a reader then tries again, and a signal handler leaves the clock alone.
  std::atomic<std::uint32_t> change_{0};
  cpu::ThreadClock clock_;
  std::atomic<pid_t> thread_{0};
  std::atomic<std::uint32_t> life_{0};
  std::atomic<bool> owned_{false};
  ThreadAccount* next_ = nullptr;
  std::array<ZeroedAtomic<bool>, kGroupPages> touched_pages_{};
  std::array<ZeroedAtomic<std::uint64_t>, kMaxDepth> ended_guards_{};
  std::uint64_t noted_bytes_ = 0;  // allocated in all groups, up to the last glance in each
  alignas(kPageBytes) std::array<GrowthWatch, kGroupIndexes> watches_{};
  alignas(kPageBytes) std::array<GroupCell, kGroupIndexes> cells_{};
};

namespace internal {
// Null before the thread's first use, and after its end.
extern "C" {
BURSAR_PROCESS_WIDE thread_local ThreadAccount* bursar_1_this_thread [[gnu::tls_model("initial-exec")]] = nullptr;
}
[[gnu::cold, gnu::noinline]] ThreadAccount* open_account() noexcept;
[[gnu::cold, gnu::noinline]] GroupIndex charge_allocation_late(std::uint64_t bytes) noexcept;
[[gnu::cold, gnu::noinline]] void charge_allocation_late_to(GroupIndex group, std::uint64_t bytes) noexcept;
[[gnu::cold, gnu::noinline]] void charge_release_late(GroupIndex group, std::uint64_t bytes) noexcept;
}  // namespace internal

// The calling thread's account, opened if need be. Null where it cannot have one any more (its thread-local data is
// gone) or not yet (a signal handler that interrupted the opening), or where memory cannot be mapped: then the
// functions below count on an account that all such threads share.
[[nodiscard]] inline ThreadAccount* this_thread_account() noexcept {
  if (ThreadAccount* account = internal::bursar_1_this_thread) [[likely]] {
    return account;
  }
  return internal::open_account();
}

inline GroupIndex charge_allocation(std::uint64_t bytes) noexcept {
  if (ThreadAccount* account = internal::bursar_1_this_thread) [[likely]] {
    return account->charge_allocation(bytes);
  }
  return internal::charge_allocation_late(bytes);
}

inline void charge_allocation_to(GroupIndex group, std::uint64_t bytes) noexcept {
  if (ThreadAccount* account = internal::bursar_1_this_thread) [[likely]] {
    account->charge_allocation_to(group, bytes);
  } else {
    internal::charge_allocation_late_to(group, bytes);
  }
}

// How many bytes the calling thread has allocated, for whichever group; as ThreadAccount::allocated_bytes says, and the
// books of a thread that ended before may go on under it. For seeing growth. Cost: a few loads.
[[nodiscard]] inline std::uint64_t bytes_allocated_by_this_thread() noexcept {
  const ThreadAccount* account = this_thread_account();
  return account == nullptr ? 0 : account->allocated_bytes();
}

inline void charge_release(GroupIndex group, std::uint64_t bytes) noexcept {
  if (ThreadAccount* account = internal::bursar_1_this_thread) [[likely]] {
    account->charge_release(group, bytes);
  } else {
    internal::charge_release_late(group, bytes);
  }
}

}  // namespace bursar::groups
