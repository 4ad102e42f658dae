#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace bursar::testing {

struct PlainPromiseBase {
  static std::suspend_always initial_suspend() noexcept { return {}; }
  static void leave_resource_group() noexcept {}
};

// A lazy task as many programs have one; `Base` decides whether it follows its group.
template <typename T, typename Base = PlainPromiseBase>
class [[nodiscard]] Task {
 public:
  struct promise_type : Base {
    Task get_return_object() { return Task(std::coroutine_handle<promise_type>::from_promise(*this)); }
    struct Final {
      static bool await_ready() noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> self) noexcept {
        self.promise().leave_resource_group();
        return self.promise().continuation;
      }
      static void await_resume() noexcept {}
    };
    static Final final_suspend() noexcept { return {}; }
    void return_value(T returned) { value = std::move(returned); }
    void unhandled_exception() { exception = std::current_exception(); }
    std::coroutine_handle<> continuation = std::noop_coroutine();
    std::optional<T> value;
    std::exception_ptr exception;
  };

  explicit Task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (handle_) handle_.destroy();
  }

  static bool await_ready() noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) noexcept {
    handle_.promise().continuation = awaiting;
    return handle_;
  }
  T await_resume() {
    if (handle_.promise().exception) std::rethrow_exception(handle_.promise().exception);
    return std::move(*handle_.promise().value);
  }

  void start() { handle_.resume(); }
  [[nodiscard]] bool done() const { return handle_.done(); }
  T result() { return await_resume(); }

 private:
  std::coroutine_handle<promise_type> handle_;
};

}  // namespace bursar::testing
