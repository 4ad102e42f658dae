#include <bursar/groups/thread_account.h>

#include <bursar/base/sanitizer.h>

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "groups/account_list.h"
#include "groups/group_table.h"

namespace bursar::groups {
namespace internal {

constinit thread_local ThreadAccount* this_thread [[gnu::tls_model("initial-exec")]] = nullptr;

}  // namespace internal

namespace {

enum class ThreadPhase : std::uint8_t { Fresh, Opening, Open, Ended };

constinit thread_local ThreadPhase phase [[gnu::tls_model("initial-exec")]] = ThreadPhase::Fresh;
constinit thread_local unsigned destructor_rounds [[gnu::tls_model("initial-exec")]] = 0;

constinit pthread_key_t end_of_thread_key{};
constinit std::atomic<bool> end_of_thread_key_made{false};

// The account is closed in the last round of thread-specific destructors that there is, so that those of other
// libraries still count on it. What comes even later goes to the shared account. (ThreadSanitizer ends its own watch in
// one of these rounds, and must not be called into after that: there it is the first.)
constexpr unsigned kClosingRound = BURSAR_THREAD_SANITIZER != 0 ? 1U : PTHREAD_DESTRUCTOR_ITERATIONS;

void on_thread_end(void* account) {
  if (++destructor_rounds < kClosingRound && pthread_setspecific(end_of_thread_key, account) == 0) return;
  internal::this_thread = nullptr;
  phase = ThreadPhase::Ended;
  AccountList::give_back(*static_cast<ThreadAccount*>(account));
}

void before_fork() {
  group_table().lock();
}
void after_fork_in_parent() {
  group_table().unlock();
}
void after_fork_in_child() {
  group_table().start_child();
  AccountList::start_child(internal::this_thread);
}

[[gnu::constructor(101)]] void set_up_process() {
  if (pthread_key_create(&end_of_thread_key, on_thread_end) == 0) {
    end_of_thread_key_made.store(true, std::memory_order_release);
  }
  pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
  GroupTable::set_up_process();
}

ThreadAccount* map_account() noexcept {
  void* memory =
      mmap(nullptr, sizeof(ThreadAccount), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
  // One huge page would make two megabytes resident for each thread.
  madvise(memory, sizeof(ThreadAccount), MADV_NOHUGEPAGE);
  // Zeros from the kernel are what the constructor would write, had it not to touch four megabytes for it.
  return static_cast<ThreadAccount*>(memory);
}

}  // namespace

constinit ThreadAccount AccountList::shared_;
constinit std::atomic<ThreadAccount*> AccountList::head_{&AccountList::shared_};

ThreadAccount* AccountList::take() noexcept {
  const pid_t thread = gettid();
  for (ThreadAccount* account = first(); account != nullptr; account = account->next_) {
    bool owned = false;
    if (account != &shared_ && !account->owned() &&
        account->owned_.compare_exchange_strong(owned, true, std::memory_order_acq_rel)) {
      account->begin(thread);
      return account;
    }
  }
  ThreadAccount* account = map_account();
  if (account == nullptr) return nullptr;
  account->owned_.store(true, std::memory_order_relaxed);
  account->begin(thread);
  account->next_ = head_.load(std::memory_order_relaxed);
  // Release: a reader that finds the account finds it linked and begun.
  while (!head_.compare_exchange_weak(account->next_, account, std::memory_order_release, std::memory_order_relaxed)) {
  }
  return account;
}

void AccountList::start_child(ThreadAccount* own) noexcept {
  for_each_account([own](ThreadAccount& account) {
    for (std::size_t page = 0; page < kGroupPages; ++page) {
      if (!account.touched(page)) continue;
      for (std::size_t i = 0; i < kGroupsPerPage; ++i) account.cells_[page * kGroupsPerPage + i].cpu_nanos.reset();
    }
    account.clock_.reset_to_thread_start();
    if (&account == own) {
      account.thread_.store(gettid(), std::memory_order_release);
      return;
    }
    // Its thread does not exist here, and may have been in the middle of a change.
    account.depth_ = 0;
    account.current_.store(kRootIndex, std::memory_order_relaxed);
    account.allocating_.store(kRootIndex, std::memory_order_relaxed);
    account.change_.store(0, std::memory_order_relaxed);
    account.thread_.store(0, std::memory_order_relaxed);
    account.owned_.store(false, std::memory_order_release);
  });
}

void ThreadAccount::begin(pid_t thread) noexcept {
  clock_.reset_to_thread_start();
  touch(kRootIndex);
  for (auto& ended : ended_guards_) {
    if (ended.load(std::memory_order_relaxed) != 0) ended.store(0, std::memory_order_relaxed);
  }
  thread_.store(thread, std::memory_order_release);
}

void ThreadAccount::end() noexcept {
  switch_to(kRootIndex);
  depth_ = 0;
  thread_.store(0, std::memory_order_release);
  owned_.store(false, std::memory_order_release);
}

GroupIndex ThreadAccount::pop_guard(std::uint32_t place, GroupIndex previous) noexcept {
  depth_ = place;
  // Guards below that ended before this one did leave with it.
  while (depth_ > 0 && depth_ <= kMaxDepth) {
    const std::uint32_t ended = ended_guards_[depth_ - 1].load(std::memory_order_acquire);
    if ((ended & kEndedFlag) == 0) break;
    --depth_;
    ended_guards_[depth_].store(0, std::memory_order_relaxed);
    previous = static_cast<GroupIndex>(ended & ~kEndedFlag);
  }
  return previous;
}

bool ThreadAccount::read_running_stretch(RunningStretch& out) const noexcept {
  constexpr int kTries = 3;
  for (int i = 0; i < kTries; ++i) {
    // Acquire throughout: pairs with the releases in `switch_to`, so that an unchanged even number at the end says that
    // all that was read in between belongs together.
    const std::uint32_t before = change_.load(std::memory_order_acquire);
    const pid_t thread = thread_.load(std::memory_order_acquire);
    if (thread == 0) return false;
    if ((before & 1U) != 0) continue;
    out.group = current_seen_from_outside();
    const std::uint64_t mark = clock_.lapped_nanos();
    const std::uint64_t charged = cells_[out.group].cpu_nanos.load();
    const std::optional<std::uint64_t> now = cpu::thread_cpu_nanos(thread);
    if (change_.load(std::memory_order_acquire) != before || thread_.load(std::memory_order_acquire) != thread)
      continue;
    if (!now.has_value() || *now < mark) return false;
    out.cpu_nanos = charged + (*now - mark);
    return true;
  }
  return false;
}

void* ThreadAccount::look_at_peak(GroupIndex group, void* block) noexcept {
  touch(group);
  const std::uint64_t growth = group_table().record_peak(group);
  GroupCell& cell = cells_[group];
  cell.next_peak_check_bytes = cell.allocated_bytes.load() + growth;
  return block;
}

namespace internal {

ThreadAccount* open_account() noexcept {
  if (phase != ThreadPhase::Fresh) return nullptr;
  phase = ThreadPhase::Opening;
  const int saved_errno = errno;
  ThreadAccount* account = AccountList::take();
  if (account == nullptr) {
    phase = ThreadPhase::Fresh;
  } else {
    this_thread = account;
    phase = ThreadPhase::Open;
    // May allocate, and so come back here: the account is open by now. The main thread needs no end before the
    // process's.
    if (end_of_thread_key_made.load(std::memory_order_acquire) && gettid() != getpid()) {
      pthread_setspecific(end_of_thread_key, account);
    }
  }
  errno = saved_errno;
  return account;
}

void charge_allocation_late_to(GroupIndex group, std::uint64_t bytes) noexcept {
  if (ThreadAccount* account = this_thread_account(); account != nullptr) {
    account->charge_allocation_to(group, bytes);
    return;
  }
  ThreadAccount& shared = AccountList::shared();
  shared.touch(group);
  shared.cell(group).allocated_bytes.add_shared(bytes);
  shared.cell(group).allocated_objects.add_shared(1);
}

GroupIndex charge_allocation_late(std::uint64_t bytes) noexcept {
  const ThreadAccount* account = this_thread_account();
  const GroupIndex group = account == nullptr ? kRootIndex : account->current();
  charge_allocation_late_to(group, bytes);
  return group;
}

void charge_release_late(GroupIndex group, std::uint64_t bytes) noexcept {
  if (ThreadAccount* account = this_thread_account(); account != nullptr) {
    account->charge_release(group, bytes);
    return;
  }
  ThreadAccount& shared = AccountList::shared();
  shared.touch(group);
  shared.cell(group).deallocated_bytes.add_shared(bytes);
  shared.cell(group).deallocated_objects.add_shared(1);
}

}  // namespace internal
}  // namespace bursar::groups
