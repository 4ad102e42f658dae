#pragma once

#include <bursar/groups/awaitable.h>
#include <bursar/groups/group_visit.h>
#include <bursar/groups/resource_group_token.h>
#include <bursar/groups/start_token.h>

#include <coroutine>
#include <type_traits>
#include <utility>

namespace bursar {

// A base for the promise of a task type of one's own: the coroutine belongs to the group in which it was created, or to
// the one in which `track_resources` starts it, comes into it at every resumption, on whichever thread, and leaves it
// at every suspension.
//
// The promise keeps `initial_suspend` and `await_transform` as they are here, and calls `leave_resource_group()` first
// thing in the `await_suspend` of what its `final_suspend` returns.
//
// Thread-safety: as the coroutine. Allocates: no. Blocks: no. Cost: a read of the thread's CPU clock at every
// resumption and at every suspension.
class GroupFollowingPromise {
 public:
  // Lazy: the coroutine waits for its first resumption.
  [[nodiscard]] auto initial_suspend() noexcept { return Start{*this}; }

  template <Awaitable Awaited>
  [[nodiscard]] auto await_transform(Awaited&& awaitable) {
    return Following<Awaited>(*this, std::forward<Awaited>(awaitable));
  }

  void leave_resource_group() noexcept { visit_.leave(); }

 private:
  void come_back() noexcept { visit_ = groups::GroupVisit::enter(token_); }

  struct Start {
    GroupFollowingPromise& promise;
    [[nodiscard]] static bool await_ready() noexcept { return false; }
    static void await_suspend(std::coroutine_handle<> /*self*/) noexcept {}
    void await_resume() const noexcept {
      promise.token_ = groups::take_start_token().value_or(promise.token_);
      promise.come_back();
    }
  };

  template <typename Awaited>
  class Following {
   public:
    Following(GroupFollowingPromise& promise, Awaited&& awaitable)
        : promise_(promise), awaiter_(groups::awaiter_of(std::forward<Awaited>(awaitable))) {}

    bool await_ready() { return awaiter_.await_ready(); }

    template <typename Promise>
    auto await_suspend(std::coroutine_handle<Promise> self) {
      // Once the awaiter has been told, the coroutine may go on elsewhere, and be gone: its stay here is ended from a
      // copy.
      groups::GroupVisit visit = promise_.visit_;
      suspended_ = true;
      using Result = decltype(awaiter_.await_suspend(self));
      try {
        if constexpr (std::is_void_v<Result>) {
          awaiter_.await_suspend(self);
          visit.leave();
        } else if constexpr (std::is_same_v<Result, bool>) {
          const bool stays = awaiter_.await_suspend(self);
          if (stays) {
            visit.leave();
          } else {
            suspended_ = false;
          }
          return stays;
        } else {
          const Result next = awaiter_.await_suspend(self);
          visit.leave();
          return next;
        }
      } catch (...) {
        suspended_ = false;
        throw;
      }
    }

    decltype(auto) await_resume() {
      if (suspended_) promise_.come_back();
      return awaiter_.await_resume();
    }

   private:
    GroupFollowingPromise& promise_;
    decltype(groups::awaiter_of(std::declval<Awaited>())) awaiter_;
    bool suspended_ = false;
  };

  ResourceGroupToken token_ = ResourceGroupToken::current();
  groups::GroupVisit visit_;
};

}  // namespace bursar
