#pragma once

#include <coroutine>
#include <deque>
#include <exception>
#include <functional>
#include <utility>

namespace bursar {

// A coroutine that starts at once and is destroyed with this object, finished or not.
class WaitingCoroutine {
 public:
  struct promise_type {
    WaitingCoroutine get_return_object() {
      return WaitingCoroutine(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { std::terminate(); }
  };

  WaitingCoroutine(WaitingCoroutine&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  WaitingCoroutine& operator=(WaitingCoroutine&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~WaitingCoroutine() { destroy(); }

  void destroy() {
    if (handle_) std::exchange(handle_, nullptr).destroy();
  }

 private:
  explicit WaitingCoroutine(std::coroutine_handle<promise_type> handle) : handle_(handle) {}

  std::coroutine_handle<promise_type> handle_;
};

// One that nobody keeps: its frame goes when it ends.
struct DetachedCoroutine {
  struct promise_type {
    DetachedCoroutine get_return_object() noexcept { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { std::terminate(); }
  };
};

}  // namespace bursar
