#pragma once

#include <bursar/groups/group_visit.h>
#include <bursar/groups/resource_stats.h>

#include <concepts>
#include <cstdint>
#include <functional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace bursar {

class ResourceTrackingGuard;

// Names a resource group. Eight bytes, to be copied freely.
//
// A token of a group that was retired is *stale*: entering it charges `root`, and is counted.
//
// Thread-safety: all functions may be called from any thread. Allocates: no. Blocks: no.
class ResourceGroupToken {
 public:
  // The group `root`, to which everything is charged that no other group is charged for.
  constexpr ResourceGroupToken() noexcept = default;

  // The group that the calling thread charges now.
  [[nodiscard]] static ResourceGroupToken current() noexcept;
  [[nodiscard]] static constexpr ResourceGroupToken root() noexcept { return {}; }

  // The group's full dotted name, valid until the group is retired. A stale token answers "root".
  [[nodiscard]] std::string_view name() const noexcept;

  // The group's figures now. Cost: two passes over the process's threads, and a system call for each that is in the
  // group.
  [[nodiscard]] ResourceStats stats() const noexcept;

  // Its live bytes alone. Cost: two passes over the process's threads, some nanoseconds for each.
  [[nodiscard]] std::uint64_t live_bytes() const noexcept;

  // The most bytes that were ever live at once: never more than there really were, and less by at most 16 KiB for each
  // of the group's threads, or 1/128 of the whole where that is more. Cost: one pass over the process's threads.
  [[nodiscard]] std::uint64_t peak_live_bytes() const noexcept;

  // The calling thread charges this group until the guard ends.
  [[nodiscard]] ResourceTrackingGuard enter() const noexcept;

  // A callable that runs `callable` inside this group, whichever thread calls it: for thread pools and
  // `std::function`. What `callable` captured stays charged to whom it was charged.
  template <typename Callable>
  [[nodiscard]] auto bind(Callable&& callable) const;

  friend constexpr bool operator==(ResourceGroupToken, ResourceGroupToken) noexcept = default;

  // The group's number in the ledger, which is also what the tag of a block holds, and how often the number had been
  // given out before.
  [[nodiscard]] constexpr std::uint16_t index() const noexcept { return index_; }
  [[nodiscard]] constexpr std::uint32_t generation() const noexcept { return generation_; }

  // REQUIRES: values that `index()` and `generation()` of one token answered.
  constexpr ResourceGroupToken(std::uint16_t index, std::uint32_t generation) noexcept
      : generation_(generation), index_(index) {}

 private:
  std::uint32_t generation_ = 0;
  std::uint16_t index_ = 0;
};

// While it lives, the thread that made it charges the token's group: allocations and CPU time. Guards nest; the
// innermost one counts, and the time of an inner group is not the outer one's. They end in the reverse order of their
// making, on the thread that made them.
//
// Thread-safety: belongs to one thread. Allocates: no. Blocks: no.
// Cost: a few instructions, and a read of the thread's CPU clock at either end.
class [[nodiscard]] ResourceTrackingGuard {
 public:
  [[nodiscard]] explicit ResourceTrackingGuard(ResourceGroupToken token) noexcept
      : visit_(groups::GroupVisit::enter(token)) {}
  ~ResourceTrackingGuard() { visit_.leave(); }
  ResourceTrackingGuard(const ResourceTrackingGuard&) = delete;
  ResourceTrackingGuard& operator=(const ResourceTrackingGuard&) = delete;

 private:
  groups::GroupVisit visit_;
};

inline ResourceTrackingGuard ResourceGroupToken::enter() const noexcept {
  return ResourceTrackingGuard(*this);
}

// What `ResourceGroupToken::bind` makes.
template <typename Callable>
class BoundCallable {
 public:
  BoundCallable(ResourceGroupToken token, Callable callable) : token_(token), callable_(std::move(callable)) {}

  template <typename... Arguments>
    requires std::invocable<Callable&, Arguments...>
  decltype(auto) operator()(Arguments&&... arguments) {
    const ResourceTrackingGuard guard(token_);
    return std::invoke(callable_, std::forward<Arguments>(arguments)...);
  }
  template <typename... Arguments>
    requires std::invocable<const Callable&, Arguments...>
  decltype(auto) operator()(Arguments&&... arguments) const {
    const ResourceTrackingGuard guard(token_);
    return std::invoke(callable_, std::forward<Arguments>(arguments)...);
  }

 private:
  ResourceGroupToken token_;
  Callable callable_;
};

template <typename Callable>
auto ResourceGroupToken::bind(Callable&& callable) const {
  return BoundCallable<std::decay_t<Callable>>(*this, std::forward<Callable>(callable));
}

}  // namespace bursar

template <>
struct std::hash<bursar::ResourceGroupToken> {
  [[nodiscard]] std::size_t operator()(bursar::ResourceGroupToken token) const noexcept {
    return std::hash<std::uint64_t>{}((std::uint64_t{token.generation()} << 16) | token.index());
  }
};
