#pragma once

#include <bursar/groups/awaitable.h>
#include <bursar/groups/resource_group_token.h>
#include <bursar/groups/start_token.h>

#include <atomic>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <functional>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

namespace bursar {
namespace groups {

// Stands between a tracked awaitable and the coroutine that awaits it. Whoever completes the awaitable resumes this,
// which resumes the coroutine, unless the awaitable is still being started further up the same stack, inside the group:
// then the coroutine goes on from there, once the group is left.
class Bridge {
 public:
  // Makes room for the small coroutine within the awaiting one. Compilers do not tell its size; where it is larger it
  // is allocated.
  static constexpr std::size_t kRoomBytes = 192;

  class promise_type {
   public:
    explicit promise_type(Bridge& bridge) noexcept : bridge_(bridge) {}
    static void* operator new(std::size_t bytes, Bridge& bridge) {
      return bytes <= kRoomBytes ? static_cast<void*>(bridge.room_) : ::operator new(bytes);
    }
    static void operator delete(void* frame, std::size_t bytes) {
      if (bytes > kRoomBytes) ::operator delete(frame);
    }
    std::coroutine_handle<promise_type> get_return_object() noexcept {
      return std::coroutine_handle<promise_type>::from_promise(*this);
    }
    static std::suspend_always initial_suspend() noexcept { return {}; }
    auto final_suspend() noexcept { return Completion{bridge_}; }
    static void return_void() noexcept {}
    static void unhandled_exception() noexcept { std::terminate(); }

   private:
    Bridge& bridge_;
  };

  Bridge() noexcept = default;
  ~Bridge() {
    if (handle_) handle_.destroy();
  }
  Bridge(const Bridge&) = delete;
  Bridge& operator=(const Bridge&) = delete;

  // What the awaitable is to resume.
  [[nodiscard]] std::coroutine_handle<> open(std::coroutine_handle<> awaiting) {
    awaiting_ = awaiting;
    handle_ = run(*this).handle;
    return handle_;
  }
  // The awaitable has been started and the group left. True where it is not complete yet: the awaiting coroutine stays
  // suspended, and this object may be gone already.
  [[nodiscard]] bool stays_suspended() noexcept {
    return progress_.exchange(Progress::Suspended, std::memory_order_acq_rel) == Progress::Starting;
  }

 private:
  enum class Progress : unsigned char { Starting, Suspended, Complete };

  struct Completion {
    Bridge& bridge;
    static bool await_ready() noexcept { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> /*self*/) noexcept {
      // Acquire and release: whichever of the two comes second sees all that the other did before.
      const std::coroutine_handle<> awaiting = bridge.awaiting_;
      const bool suspended =
          bridge.progress_.exchange(Progress::Complete, std::memory_order_acq_rel) == Progress::Suspended;
      return suspended ? awaiting : std::noop_coroutine();
    }
    static void await_resume() noexcept {}
  };

  struct Frame {
    using promise_type = Bridge::promise_type;
    // NOLINTNEXTLINE(google-explicit-constructor): the language converts what the promise returns.
    Frame(std::coroutine_handle<promise_type> made) noexcept : handle(made) {}
    std::coroutine_handle<promise_type> handle;
  };
  static Frame run(Bridge& /*bridge*/) { co_return; }

  std::coroutine_handle<> awaiting_;
  std::coroutine_handle<promise_type> handle_;
  std::atomic<Progress> progress_{Progress::Starting};
  alignas(std::max_align_t) std::byte room_[kRoomBytes];
};

}  // namespace groups

// An awaitable that runs inside a resource group: it is started there, and what it does on completion happens there;
// the coroutine that awaits it goes on in the group that it was in. Result, exception and destruction while suspended
// pass through unchanged.
//
// Where the awaitable is itself a coroutine, the stretches between its own suspensions are run by whoever resumes them.
// They stay in the group where its promise is a GroupFollowingPromise, or its executor one of bursar::asio.
//
// Thread-safety: as the awaitable. Allocates: no. Blocks: no. Cost: two guards.
template <typename Awaited>
class [[nodiscard]] Tracked {
 public:
  Tracked(Awaited&& awaitable, ResourceGroupToken token)
      : awaitable_(std::forward<Awaited>(awaitable)), token_(token) {}

  [[nodiscard]] ResourceGroupToken token() const noexcept { return token_; }

  [[nodiscard]] auto operator co_await() && { return Awaiter(std::forward<Awaited>(awaitable_), token_); }

 private:
  class Awaiter {
   public:
    Awaiter(Awaited&& awaitable, ResourceGroupToken token)
        : token_(token), awaiter_(groups::awaiter_of(std::forward<Awaited>(awaitable))) {}

    bool await_ready() {
      const ResourceTrackingGuard guard(token_);
      return awaiter_.await_ready();
    }

    bool await_suspend(std::coroutine_handle<> awaiting) {
      const std::coroutine_handle<> bridge = bridge_.open(awaiting);
      // From here on the awaitable may complete on another thread; the guard is on this thread's stack alone.
      {
        const ResourceTrackingGuard guard(token_);
        const groups::StartTokenScope start(token_);
        using Result = decltype(awaiter_.await_suspend(bridge));
        if constexpr (std::is_void_v<Result>) {
          awaiter_.await_suspend(bridge);
        } else if constexpr (std::is_same_v<Result, bool>) {
          if (!awaiter_.await_suspend(bridge)) return false;
        } else {
          std::coroutine_handle<>(awaiter_.await_suspend(bridge)).resume();
        }
      }
      return bridge_.stays_suspended();
    }

    decltype(auto) await_resume() {
      const ResourceTrackingGuard guard(token_);
      return awaiter_.await_resume();
    }

   private:
    ResourceGroupToken token_;
    decltype(groups::awaiter_of(std::declval<Awaited>())) awaiter_;
    groups::Bridge bridge_;
  };

  Awaited awaitable_;
  ResourceGroupToken token_;
};

// The awaitable, in the group of `token`.
template <Awaitable Awaited>
[[nodiscard]] Tracked<Awaited> track_resources(Awaited&& awaitable, ResourceGroupToken token) {
  return Tracked<Awaited>(std::forward<Awaited>(awaitable), token);
}

// The awaitable that `factory` makes inside the group, so that a coroutine's frame belongs to the group too.
template <AwaitableFactory Factory>
[[nodiscard]] auto track_resources(Factory&& factory, ResourceGroupToken token) {
  const ResourceTrackingGuard guard(token);
  return Tracked<std::invoke_result_t<Factory>>(std::invoke(std::forward<Factory>(factory)), token);
}

// The awaitable, in the group that the calling thread is in now, wherever it will be awaited.
template <Awaitable Awaited>
[[nodiscard]] Tracked<Awaited> in_current_resource_group(Awaited&& awaitable) {
  return Tracked<Awaited>(std::forward<Awaited>(awaitable), ResourceGroupToken::current());
}

}  // namespace bursar
