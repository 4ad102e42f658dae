#pragma once

#include <concepts>
#include <coroutine>
#include <functional>
#include <type_traits>
#include <utility>

namespace bursar {
namespace groups {

template <typename T>
concept IsSuspendResult =
    std::is_void_v<T> || std::same_as<T, bool> || std::is_convertible_v<T, std::coroutine_handle<>>;

template <typename T>
concept Awaiter = requires(T& awaiter, std::coroutine_handle<> caller) {
  { awaiter.await_ready() } -> std::convertible_to<bool>;
  { awaiter.await_suspend(caller) };
  requires IsSuspendResult<decltype(awaiter.await_suspend(caller))>;
  awaiter.await_resume();
};

template <typename T>
concept HasMemberCoAwait = requires(T&& awaitable) {
  { std::forward<T>(awaitable).operator co_await() } -> Awaiter;
};
template <typename T>
concept HasFreeCoAwait = requires(T&& awaitable) {
  { operator co_await(std::forward<T>(awaitable)) } -> Awaiter;
};

// The awaiter that `co_await awaitable` would use.
template <typename T>
decltype(auto) awaiter_of(T&& awaitable) {
  if constexpr (HasMemberCoAwait<T>) {
    return std::forward<T>(awaitable).operator co_await();
  } else if constexpr (HasFreeCoAwait<T>) {
    return operator co_await(std::forward<T>(awaitable));
  } else {
    return static_cast<T&&>(awaitable);
  }
}

}  // namespace groups

// What `co_await` takes in a coroutine whose promise transforms nothing.
template <typename T>
concept Awaitable =
    groups::HasMemberCoAwait<T> || groups::HasFreeCoAwait<T> || groups::Awaiter<std::remove_reference_t<T>>;

// A callable that makes an awaitable, as a coroutine function does.
template <typename T>
concept AwaitableFactory = !Awaitable<T> && std::invocable<T> && Awaitable<std::invoke_result_t<T>>;

// What can be tracked.
template <typename T>
concept Track = Awaitable<T> || AwaitableFactory<T>;

}  // namespace bursar
