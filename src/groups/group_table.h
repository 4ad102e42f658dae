#pragma once

#include <bursar/base/process_wide.h>
#include <bursar/base/zeroed_atomic.h>
#include <bursar/groups/group_index.h>
#include <bursar/groups/resource_group_token.h>
#include <bursar/groups/resource_stats.h>

#include <pthread.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "groups/ledger_reading.h"
#include "groups/name_arena.h"

namespace bursar::groups {

// Which groups there are: their names, numbers and generations, and what is kept of them beside the threads' counters.
//
// A number's generation is even while a group has it and odd while that group is retired but still holds something
// ("draining"); it becomes the next even one when the number is free again. A token is good while its generation is the
// number's, so reviving a draining group makes its old tokens good again.
//
// Thread-safety: any thread. Allocates: no. Blocks: the lock guards names and numbers; nobody allocates under it.
class GroupTable {
 public:
  static constexpr std::size_t kMaxGroups = 65'000;

  // In the process's first moments, before `main`.
  static void set_up_process() noexcept;

  [[nodiscard]] ResourceGroupToken add(std::string_view name) noexcept;
  bool retire(ResourceGroupToken token) noexcept;

  // Cost: one load.
  [[nodiscard]] bool is_current(ResourceGroupToken token) const noexcept {
    return generations_[token.index()].load(std::memory_order_acquire) == token.generation();
  }
  [[nodiscard]] ResourceGroupToken token_of(GroupIndex group) const noexcept {
    return {group, generations_[group].load(std::memory_order_acquire) & ~1U};
  }
  [[nodiscard]] std::string_view name_of(ResourceGroupToken token) noexcept;

  // Numbers from here on were never given out.
  [[nodiscard]] std::size_t first_unused() const noexcept { return numbers_used_.load(std::memory_order_acquire) + 1; }
  // The name of the group, retired or not, copied to `buffer`; empty where its number is free, or another's by now.
  [[nodiscard]] std::string_view copy_name(ResourceGroupToken group, char (&buffer)[NameArena::kLargestBytes]) noexcept;

  // The usage of the group that has the number, without that of the groups that had it before.
  [[nodiscard]] ResourceStats usage_of(GroupIndex group) noexcept;
  struct Usage {
    ResourceGroupToken group;
    ResourceStats stats;
  };
  // The same for all groups of a page.
  void usage_of_page(std::size_t page, std::array<Usage, kGroupsPerPage>& usage) noexcept;
  [[nodiscard]] ResourceStatsSnapshot retired() noexcept;

  void count_stale_token() noexcept { stale_tokens_.fetch_add(1, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t stale_tokens() const noexcept { return stale_tokens_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t rejected() const noexcept { return rejected_.load(std::memory_order_relaxed); }

  void lock() noexcept { pthread_mutex_lock(&mutex_); }
  void unlock() noexcept { pthread_mutex_unlock(&mutex_); }
  // In a child just forked, whose parent had locked it, and which CPU time starts again from nothing.
  void start_child() noexcept;

 private:
  // `Revived` is active again, and still stands in the list of the draining.
  enum class State : std::uint8_t { Free, Active, Draining, Revived };

  // Every name hashes to a place in a table of twice as many, from which on it is looked for.
  static constexpr std::size_t kPlaces = kGroupIndexes * 2;

  struct Name {
    const char* text;
    std::size_t bytes;
    [[nodiscard]] std::string_view view() const noexcept { return {text, bytes}; }
  };

  // Written under the lock, read without it.
  class Baseline {
   public:
    // What has come since.
    [[nodiscard]] ResourceStats taken_from(const GroupSums& sums, std::uint64_t peak_live_bytes) const noexcept;
    void store(const GroupSums& sums) noexcept;
    void forget_cpu_time() noexcept { cpu_time_nanos_.store(0, std::memory_order_relaxed); }

   private:
    ZeroedAtomic<std::uint64_t> allocated_bytes_;
    ZeroedAtomic<std::uint64_t> allocated_objects_;
    ZeroedAtomic<std::uint64_t> deallocated_bytes_;
    ZeroedAtomic<std::uint64_t> deallocated_objects_;
    ZeroedAtomic<std::uint64_t> cpu_time_nanos_;
    ZeroedAtomic<std::uint64_t> entries_;
  };

  // REQUIRES for all below: the lock is held.
  [[nodiscard]] static std::size_t place_of(std::string_view name) noexcept;
  [[nodiscard]] GroupIndex find(std::string_view name) const noexcept;
  void insert_place(GroupIndex group) noexcept;
  void erase_place(GroupIndex group) noexcept;
  [[nodiscard]] GroupIndex take_number() noexcept;
  void reclaim_drained() noexcept;
  void reclaim(GroupIndex group, const GroupSums& sums) noexcept;
  ResourceGroupToken reject(std::string_view name, const char* reason) noexcept;

  // Reads `read()` such that no number changes hands meanwhile.
  template <typename Read>
  void read_between_reclaims(Read&& read) noexcept;

  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
  NameArena name_arena_;
  std::array<ZeroedAtomic<std::uint32_t>, kGroupIndexes> generations_{};
  std::array<Name, kGroupIndexes> names_{};
  std::array<State, kGroupIndexes> states_{};
  // The number that was freed before, for a free one; the number that was retired before, for a draining one.
  std::array<GroupIndex, kGroupIndexes> next_{};
  std::array<GroupIndex, kPlaces> places_{};
  // What the groups used that had the number before.
  std::array<Baseline, kGroupIndexes> baselines_{};
  ResourceStatsSnapshot retired_;
  GroupIndex free_ = kRootIndex;  // root is never free, nor draining: it ends both lists
  GroupIndex draining_ = kRootIndex;
  // All members begin as zeros, so that the table takes no room in the program's file.
  std::size_t draining_count_ = 0;
  std::size_t still_draining_ = 0;            // how many were left by the last pass over them
  std::size_t groups_ = 0;                    // `root` not counted
  std::atomic<std::size_t> numbers_used_{0};  // likewise
  std::atomic<std::uint32_t> reclaims_{0};    // odd while a number changes hands
  std::atomic<std::uint64_t> stale_tokens_{0};
  std::atomic<std::uint64_t> rejected_{0};
  bool warned_ = false;
};

extern "C" {
BURSAR_PROCESS_WIDE GroupTable bursar_1_group_table{};
}

[[nodiscard]] inline GroupTable& group_table() noexcept {
  return bursar_1_group_table;
}

}  // namespace bursar::groups
