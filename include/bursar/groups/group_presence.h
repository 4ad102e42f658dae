#pragma once

#include <bursar/groups/resource_group_token.h>
#include <bursar/groups/thread_account.h>

#include <cstdint>

namespace bursar::groups {

// Comes into the token's group: from now on the group keeps its number, even if it is retired. Answers the group's
// number, or `root`'s where the token is stale, which is counted. Every coming in is followed by a going out, on
// whichever thread.
//
// Thread-safety: any thread. Allocates: no. Blocks: no. Cost: a few instructions.
[[nodiscard]] GroupIndex come_in(ResourceGroupToken token) noexcept;
void go_out(GroupIndex group) noexcept;

// A presence as a value: charges made by hand to `group()` are safe while it lives.
class [[nodiscard]] GroupPresence {
 public:
  [[nodiscard]] explicit GroupPresence(ResourceGroupToken token) noexcept : group_(come_in(token)) {}
  ~GroupPresence() { go_out(group_); }
  GroupPresence(const GroupPresence&) = delete;
  GroupPresence& operator=(const GroupPresence&) = delete;

  [[nodiscard]] GroupIndex group() const noexcept { return group_; }

 private:
  GroupIndex group_;
};

// While it lives, what the thread allocates is charged to `group`; CPU time goes on being charged to whom it was. For
// calls too short to read a clock for. REQUIRES: the group is kept by a presence.
class [[nodiscard]] AllocationDetour {
 public:
  [[nodiscard]] explicit AllocationDetour(GroupIndex group) noexcept
      : account_(this_thread_account()),
        previous_(account_ == nullptr ? kRootIndex : account_->exchange_allocating(group)) {}
  ~AllocationDetour() {
    if (account_ != nullptr) account_->exchange_allocating(previous_);
  }
  AllocationDetour(const AllocationDetour&) = delete;
  AllocationDetour& operator=(const AllocationDetour&) = delete;

 private:
  ThreadAccount* account_;
  GroupIndex previous_;
};

// A block came back without a valid tag.
void count_foreign_block() noexcept;
[[nodiscard]] std::uint64_t foreign_blocks() noexcept;

}  // namespace bursar::groups
