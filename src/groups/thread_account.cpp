#include <bursar/groups/thread_account.h>

#include <bursar/base/sanitizer.h>

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "groups/account_list.h"
#include "groups/group_peaks.h"
#include "groups/group_table.h"

namespace bursar::groups {
enum class ThreadPhase : std::uint8_t { Fresh, Opening, Open, Ended };

extern "C" {
BURSAR_PROCESS_WIDE thread_local ThreadPhase bursar_1_phase [[gnu::tls_model("initial-exec")]] = ThreadPhase::Fresh;
BURSAR_PROCESS_WIDE thread_local unsigned bursar_1_destructor_rounds [[gnu::tls_model("initial-exec")]] = 0;
BURSAR_PROCESS_WIDE pthread_key_t bursar_1_end_of_thread_key{};
BURSAR_PROCESS_WIDE std::atomic<bool> bursar_1_end_of_thread_key_made{false};
BURSAR_PROCESS_WIDE std::atomic<bool> bursar_1_set_up{false};
}

namespace {

// The account is closed in the last round of thread-specific destructors that there is, so that those of other
// libraries still count on it. What comes even later goes to the shared account. (ThreadSanitizer ends its own watch in
// one of these rounds, and must not be called into after that: there it is the first.)
constexpr unsigned kClosingRound = BURSAR_THREAD_SANITIZER != 0 ? 1U : PTHREAD_DESTRUCTOR_ITERATIONS;

void on_thread_end(void* account) {
  if (++bursar_1_destructor_rounds < kClosingRound && pthread_setspecific(bursar_1_end_of_thread_key, account) == 0)
    return;
  internal::bursar_1_this_thread = nullptr;
  bursar_1_phase = ThreadPhase::Ended;
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
  AccountList::start_child(internal::bursar_1_this_thread);
}

[[gnu::constructor(101)]] void set_up_process() {
  if (bursar_1_set_up.exchange(true, std::memory_order_acq_rel)) return;
  if (pthread_key_create(&bursar_1_end_of_thread_key, on_thread_end) == 0) {
    bursar_1_end_of_thread_key_made.store(true, std::memory_order_release);
  }
  pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
  GroupTable::set_up_process();
}

// How often a reader tries again that meets a thread in the middle of a change, and that sees it change meanwhile. A
// change takes nanoseconds unless its thread loses the processor in it, or the reader has interrupted it in a signal
// handler.
constexpr int kMostWaits = 200;
constexpr int kMostChangesSeen = 64;

void wait_for_owner(int waits) noexcept {
  constexpr int kSpins = 100;
  constexpr long kNapNanos = 20'000;
  if (waits < kSpins) return;
  const int saved_errno = errno;
  const timespec nap{.tv_sec = 0, .tv_nsec = kNapNanos};
  syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &nap, nullptr);
  errno = saved_errno;
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

ThreadAccount* AccountList::take() noexcept {
  const pid_t thread = gettid();
  for (ThreadAccount* account = first(); account != nullptr; account = account->next_) {
    bool owned = false;
    if (account != &shared() && !account->owned() &&
        account->owned_.compare_exchange_strong(owned, true, std::memory_order_acq_rel)) {
      account->begin(thread);
      return account;
    }
  }
  if (free_accounts_of_dead_threads()) return take();
  ThreadAccount* account = map_account();
  if (account == nullptr) return nullptr;
  account->owned_.store(true, std::memory_order_relaxed);
  account->begin(thread);
  account->next_ = bursar_1_account_list.load(std::memory_order_relaxed);
  // Release: a reader that finds the account finds it linked and begun.
  while (!bursar_1_account_list.compare_exchange_weak(account->next_, account, std::memory_order_release,
                                                      std::memory_order_relaxed)) {
  }
  return account;
}

// A thread that opens its account in the very last round of its destructors, when none is called any more, cannot give
// it back. Looked for before a new one is mapped, but not each time, so that many threads that begin do not all ask for
// all.
bool AccountList::free_accounts_of_dead_threads() noexcept {
  std::size_t owned = 0;
  for_each_account([&](const ThreadAccount& account) { owned += account.owned() ? 1U : 0U; });
  if (owned < bursar_1_next_search.load(std::memory_order_relaxed)) return false;
  std::size_t alive = 0;
  for_each_account([&](ThreadAccount& account) {
    const pid_t thread = account.thread_.load(std::memory_order_acquire);
    if (!account.owned() || thread == 0) return;
    if (tgkill(getpid(), thread, 0) == 0 || errno != ESRCH) {
      ++alive;
    } else if (account.thread_.exchange(0, std::memory_order_acq_rel) == thread) {
      account.abandon();
    }
  });
  constexpr std::size_t kFewest = 16;
  bursar_1_next_search.store(std::max(kFewest, alive + alive / 4), std::memory_order_relaxed);
  return alive < owned;
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
    account.thread_.store(0, std::memory_order_relaxed);
    account.abandon();
  });
}

void ThreadAccount::begin(pid_t thread) noexcept {
  clock_.reset_to_thread_start();
  touch(kRootIndex);
  life_.store(life() + 1, std::memory_order_relaxed);
  thread_.store(thread, std::memory_order_release);
}

// Its thread does not exist any more, and may have been in the middle of a change.
void ThreadAccount::abandon() noexcept {
  depth_ = 0;
  current_.store(kRootIndex, std::memory_order_relaxed);
  allocating_.store(kRootIndex, std::memory_order_relaxed);
  change_.store(0, std::memory_order_relaxed);
  owned_.store(false, std::memory_order_release);
}

// In one change, so that no reader sees a stretch that never gets charged.
void ThreadAccount::end() noexcept {
  depth_ = 0;
  const std::uint32_t change = change_.load(std::memory_order_relaxed);
  change_.store(change | 1U, std::memory_order_relaxed);
  const std::uint64_t lap_nanos = clock_.lap();
  cells_[current()].cpu_nanos.add(lap_nanos);
  current_.store(kRootIndex, std::memory_order_release);
  allocating_.store(kRootIndex, std::memory_order_relaxed);
  thread_.store(0, std::memory_order_release);
  change_.store((change | 1U) + 1, std::memory_order_release);
  owned_.store(false, std::memory_order_release);
}

GroupIndex ThreadAccount::pop_guard(std::uint32_t place, GroupIndex previous) noexcept {
  depth_ = place;
  // Guards below that ended before this one did leave with it.
  const std::uint64_t mark = ended_mark(life());
  while (depth_ > 0 && depth_ <= kMaxDepth) {
    const std::uint64_t ended = ended_guards_[depth_ - 1].load(std::memory_order_acquire);
    if ((ended & ~std::uint64_t{kGroupIndexes - 1}) != mark) break;
    --depth_;
    ended_guards_[depth_].store(0, std::memory_order_relaxed);
    previous = static_cast<GroupIndex>(ended % kGroupIndexes);
  }
  return previous;
}

bool ThreadAccount::read_running_stretch(RunningStretch& out) const noexcept {
  // Acquire throughout: pairs with the releases in `switch_to`, so that an unchanged even number at the end says that
  // all that was read in between belongs together.
  for (int changes = 0, waits = 0; changes < kMostChangesSeen && waits < kMostWaits;) {
    const std::uint32_t before = change_.load(std::memory_order_acquire);
    if ((before & 1U) != 0) {
      wait_for_owner(waits++);
      continue;
    }
    const pid_t thread = thread_.load(std::memory_order_acquire);
    if (thread == 0) return false;
    out.group = current_seen_from_outside();
    const std::uint64_t charged = cells_[out.group].cpu_nanos.load();
    const std::optional<std::uint64_t> now = cpu::thread_cpu_nanos(thread);
    const std::uint64_t running = clock_.running_nanos(now.value_or(0));
    out.cpu_nanos = charged + running;
    if (change_.load(std::memory_order_acquire) == before && thread_.load(std::memory_order_acquire) == thread)
      return true;
    ++changes;
  }
  return false;
}

void* ThreadAccount::glance_at_growth(GroupIndex group, void* block) noexcept {
  touch(group);
  GroupCell& cell = cells_[group];
  GrowthWatch& watch = watches_[group];
  const std::uint64_t allocated = cell.allocated_bytes.load();
  // In one exchange, so that nothing is noted twice where a signal handler glances in between.
  noted_bytes_ += allocated - watch.noted_bytes.exchange(allocated, std::memory_order_relaxed);
  const std::int64_t net = net_bytes(group);
  if (net >= allowance(group)) group_peaks().look_and_deal_out(group);
  // Sequentially consistent: pairs with `set_allowance`.
  std::int64_t used = 0;
  do {
    used = allowance(group);
    const std::int64_t distance = std::clamp(used - net, kNearestGlanceBytes, kFarthestGlanceBytes);
    cell.next_glance_bytes.store(allocated + static_cast<std::uint64_t>(distance), std::memory_order_seq_cst);
  } while (allowance(group) != used);
  return block;
}

namespace internal {

ThreadAccount* open_account() noexcept {
  if (bursar_1_phase != ThreadPhase::Fresh) return nullptr;
  bursar_1_phase = ThreadPhase::Opening;
  const int saved_errno = errno;
  ThreadAccount* account = AccountList::take();
  if (account == nullptr) {
    bursar_1_phase = ThreadPhase::Fresh;
  } else {
    bursar_1_this_thread = account;
    bursar_1_phase = ThreadPhase::Open;
    // May allocate, and so come back here: the account is open by now. The main thread needs no end before the
    // process's.
    if (bursar_1_end_of_thread_key_made.load(std::memory_order_acquire) && gettid() != getpid()) {
      pthread_setspecific(bursar_1_end_of_thread_key, account);
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
