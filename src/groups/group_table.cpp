#include "groups/group_table.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "groups/account_list.h"
#include "groups/group_peaks.h"

namespace bursar::groups {

extern "C" {
BURSAR_PROCESS_WIDE std::atomic<int> bursar_1_barrier_command{0};
}

namespace {

constexpr std::string_view kRootName = "root";

// A thread that comes into a group first counts itself in and then looks whether its token is still good; whoever takes
// a number away first spoils the tokens and then looks whether anybody is counted in. Each has to see the other's first
// step. The thread does without a fence, since it comes in often; this one makes every running thread pass one.
bool fence_all_threads() noexcept {
  const int command = bursar_1_barrier_command.load(std::memory_order_relaxed);
  return command != 0 && syscall(SYS_membarrier, command, 0, 0) == 0;
}

class TableLock {
 public:
  explicit TableLock(GroupTable& locked) noexcept : table_(locked) { table_.lock(); }
  ~TableLock() { table_.unlock(); }
  TableLock(const TableLock&) = delete;
  TableLock& operator=(const TableLock&) = delete;

 private:
  GroupTable& table_;
};

bool is_in_a_group(GroupIndex group) noexcept {
  bool found = false;
  for_each_account(
      [&](const ThreadAccount& account) { found = found || account.current_seen_from_outside() == group; });
  return found;
}

void warn(std::string_view what, std::string_view name, std::string_view reason) noexcept {
  // On the stack and by `write`: this may run under malloc.
  char line[256];
  std::size_t length = 0;
  const auto append = [&](std::string_view text) {
    const std::size_t taken = std::min(text.size(), sizeof(line) - 1 - length);
    for (std::size_t i = 0; i < taken; ++i) line[length + i] = text[i] < ' ' ? '?' : text[i];
    length += taken;
  };
  append(what);
  append(name.substr(0, 64));
  append(reason);
  line[length++] = '\n';
  const int saved_errno = errno;
  [[maybe_unused]] const auto written = write(STDERR_FILENO, line, length);
  errno = saved_errno;
}

}  // namespace

void GroupTable::set_up_process() noexcept {
  if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0) {
    bursar_1_barrier_command.store(MEMBARRIER_CMD_PRIVATE_EXPEDITED, std::memory_order_relaxed);
  } else if (const long commands = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
             commands > 0 && (commands & MEMBARRIER_CMD_GLOBAL) != 0) {
    bursar_1_barrier_command.store(MEMBARRIER_CMD_GLOBAL, std::memory_order_relaxed);
  }
}

// Acquire and release: a reader that sees any new figure sees `reclaims_` odd or further, and reads again.
ResourceStats GroupTable::Baseline::taken_from(const GroupSums& sums, std::uint64_t peak_live_bytes) const noexcept {
  const ResourceStatsSnapshot before{
      .allocated_bytes = allocated_bytes_.load(std::memory_order_acquire),
      .allocated_objects = allocated_objects_.load(std::memory_order_acquire),
      .deallocated_bytes = deallocated_bytes_.load(std::memory_order_acquire),
      .deallocated_objects = deallocated_objects_.load(std::memory_order_acquire),
      .cpu_time_nanos = cpu_time_nanos_.load(std::memory_order_acquire),
  };
  return ResourceStats(ResourceStats(sums.usage).snapshot_delta(before),
                       sums.entries - entries_.load(std::memory_order_acquire), peak_live_bytes);
}

void GroupTable::Baseline::store(const GroupSums& sums) noexcept {
  allocated_bytes_.store(sums.usage.allocated_bytes, std::memory_order_release);
  allocated_objects_.store(sums.usage.allocated_objects, std::memory_order_release);
  deallocated_bytes_.store(sums.usage.deallocated_bytes, std::memory_order_release);
  deallocated_objects_.store(sums.usage.deallocated_objects, std::memory_order_release);
  cpu_time_nanos_.store(sums.usage.cpu_time_nanos, std::memory_order_release);
  entries_.store(sums.entries, std::memory_order_release);
}

std::size_t GroupTable::place_of(std::string_view name) noexcept {
  // FNV-1a, 64 bits: http://www.isthe.com/chongo/tech/comp/fnv/
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return static_cast<std::size_t>(hash ^ (hash >> 32)) % kPlaces;
}

GroupIndex GroupTable::find(std::string_view name) const noexcept {
  for (std::size_t place = place_of(name); places_[place] != kRootIndex; place = (place + 1) % kPlaces) {
    if (names_[places_[place]].view() == name) return places_[place];
  }
  return kRootIndex;
}

void GroupTable::insert_place(GroupIndex group) noexcept {
  std::size_t place = place_of(names_[group].view());
  while (places_[place] != kRootIndex) place = (place + 1) % kPlaces;
  places_[place] = group;
}

// Closes the gap by moving back what could not have its own place because of the one that leaves, so that no search
// ends too early and no markers pile up.
void GroupTable::erase_place(GroupIndex group) noexcept {
  std::size_t gap = place_of(names_[group].view());
  while (places_[gap] != group) gap = (gap + 1) % kPlaces;
  for (std::size_t place = (gap + 1) % kPlaces; places_[place] != kRootIndex; place = (place + 1) % kPlaces) {
    const std::size_t home = place_of(names_[places_[place]].view());
    const std::size_t distance_from_home = (place + kPlaces - home) % kPlaces;
    const std::size_t distance_from_gap = (place + kPlaces - gap) % kPlaces;
    if (distance_from_home >= distance_from_gap) {
      places_[gap] = places_[place];
      gap = place;
    }
  }
  places_[gap] = kRootIndex;
}

ResourceGroupToken GroupTable::reject(std::string_view name, const char* reason) noexcept {
  rejected_.fetch_add(1, std::memory_order_relaxed);
  if (!warned_) {
    warned_ = true;
    warn("bursar: the resource group '", name, reason);
  }
  return ResourceGroupToken::root();
}

GroupIndex GroupTable::take_number() noexcept {
  if (draining_count_ >= 64 + 2 * still_draining_ || groups_ + 1 >= kMaxGroups) reclaim_drained();
  if (groups_ + 1 >= kMaxGroups) return kRootIndex;
  if (free_ != kRootIndex) {
    const GroupIndex group = free_;
    free_ = next_[group];
    return group;
  }
  return static_cast<GroupIndex>(first_unused());
}

ResourceGroupToken GroupTable::add(std::string_view name) noexcept {
  if (name == kRootName) return ResourceGroupToken::root();
  const TableLock held(*this);
  if (name.empty()) return reject(name, "' is charged to root: a name must not be empty");
  if (name.size() >= NameArena::kLargestBytes)
    return reject(name, "...' is charged to root: a name has 1023 bytes at most");
  if (const GroupIndex known = find(name); known != kRootIndex) {
    if (states_[known] == State::Draining) {
      // Its tokens are good again.
      states_[known] = State::Revived;
      generations_[known].fetch_sub(1, std::memory_order_acq_rel);
    }
    return token_of(known);
  }
  const GroupIndex group = take_number();
  if (group == kRootIndex) return reject(name, "' is charged to root: there are 65,000 groups already");
  const std::string_view kept = name_arena_.keep(name);
  if (kept.empty()) {
    if (group < first_unused()) {
      next_[group] = free_;
      free_ = group;
    }
    return reject(name, "' is charged to root: no memory for its name");
  }
  names_[group] = {kept.data(), kept.size()};
  states_[group] = State::Active;
  insert_place(group);
  ++groups_;
  if (group == first_unused()) numbers_used_.fetch_add(1, std::memory_order_release);
  return token_of(group);
}

bool GroupTable::retire(ResourceGroupToken token) noexcept {
  if (token.index() == kRootIndex) return false;
  const TableLock held(*this);
  if (!is_current(token)) return false;
  if (states_[token.index()] != State::Revived) {
    next_[token.index()] = draining_;
    draining_ = token.index();
    ++draining_count_;
  }
  states_[token.index()] = State::Draining;
  generations_[token.index()].fetch_add(1, std::memory_order_acq_rel);
  return true;
}

void GroupTable::reclaim_drained() noexcept {
  if (draining_ == kRootIndex || !fence_all_threads()) return;
  GroupIndex kept = kRootIndex;
  still_draining_ = 0;
  for (GroupIndex group = draining_; group != kRootIndex;) {
    const GroupIndex next = next_[group];
    if (states_[group] == State::Draining) {
      const GroupSums sums = sum_group(group);
      if (sums.entries == sums.exits && sums.usage.live_objects() == 0 && !is_in_a_group(group)) {
        reclaim(group, sums);
      } else {
        next_[group] = kept;
        kept = group;
        ++still_draining_;
      }
    } else {
      states_[group] = State::Active;
    }
    group = next;
  }
  draining_ = kept;
  draining_count_ = still_draining_;
}

void GroupTable::reclaim(GroupIndex group, const GroupSums& sums) noexcept {
  reclaims_.fetch_add(1, std::memory_order_acq_rel);
  retired_.merge(baselines_[group].taken_from(sums, 0).totals());
  baselines_[group].store(sums);
  group_peaks().start_over(group);
  erase_place(group);
  name_arena_.give_back(names_[group].view());
  names_[group] = {};
  states_[group] = State::Free;
  generations_[group].fetch_add(1, std::memory_order_acq_rel);
  next_[group] = free_;
  free_ = group;
  --groups_;
  reclaims_.fetch_add(1, std::memory_order_acq_rel);
}

std::string_view GroupTable::name_of(ResourceGroupToken token) noexcept {
  if (token.index() == kRootIndex) return kRootName;
  const TableLock held(*this);
  return is_current(token) ? names_[token.index()].view() : kRootName;
}

std::string_view GroupTable::copy_name(ResourceGroupToken group, char (&buffer)[NameArena::kLargestBytes]) noexcept {
  if (group.index() == kRootIndex) return kRootName;
  const TableLock held(*this);
  const std::string_view name = names_[group.index()].view();
  if (name.empty() || token_of(group.index()) != group) return {};
  std::memcpy(buffer, name.data(), name.size());
  return {buffer, name.size()};
}

template <typename Read>
void GroupTable::read_between_reclaims(Read&& read) noexcept {
  constexpr int kTries = 3;
  for (int i = 0; i < kTries; ++i) {
    const std::uint32_t before = reclaims_.load(std::memory_order_acquire);
    if ((before & 1U) != 0) continue;
    read();
    if (reclaims_.load(std::memory_order_acquire) == before) return;
  }
  const TableLock held(*this);
  read();
}

ResourceStats GroupTable::usage_of(GroupIndex group) noexcept {
  ResourceStats usage;
  read_between_reclaims([&] { usage = baselines_[group].taken_from(sum_group(group), group_peaks().highest(group)); });
  return usage;
}

void GroupTable::usage_of_page(std::size_t page, std::array<Usage, kGroupsPerPage>& usage) noexcept {
  PageSums sums;
  read_between_reclaims([&] {
    sum_page(page, sums);
    for (std::size_t i = 0; i < kGroupsPerPage; ++i) {
      const std::size_t group = page * kGroupsPerPage + i;
      usage[i] = {token_of(static_cast<GroupIndex>(group)),
                  baselines_[group].taken_from(sums[i], group_peaks().highest(group))};
    }
  });
}

ResourceStatsSnapshot GroupTable::retired() noexcept {
  const TableLock held(*this);
  return retired_;
}

void GroupTable::start_child() noexcept {
  // The lock was taken by the thread that forked; it is made anew because its owner has another id here.
  mutex_ = PTHREAD_MUTEX_INITIALIZER;
  group_peaks().start_child(first_unused());
  retired_.cpu_time_nanos = 0;
  for (std::size_t group = 0; group < first_unused(); ++group) {
    baselines_[group].forget_cpu_time();
    forget_shown_cpu_time(static_cast<GroupIndex>(group));
  }
}

}  // namespace bursar::groups
