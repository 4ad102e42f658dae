// What following a group costs a coroutine, at each suspension and resumption.

#include <bursar/groups/group_following_promise.h>
#include <bursar/groups/resource_group_registry.h>
#include <bursar/groups/tracked.h>

#include <benchmark/benchmark.h>

#include <coroutine>
#include <exception>
#include <utility>

namespace {

struct PlainPromise {
  static std::suspend_always initial_suspend() noexcept { return {}; }
  static void leave_resource_group() noexcept {}
};

// Suspends for ever, each time it is resumed.
template <typename Base>
class Worker {
 public:
  struct promise_type : Base {
    Worker get_return_object() { return Worker(std::coroutine_handle<promise_type>::from_promise(*this)); }
    static std::suspend_always final_suspend() noexcept { return {}; }
    static void return_void() noexcept {}
    static void unhandled_exception() noexcept { std::terminate(); }
  };
  explicit Worker(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  Worker(Worker&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Worker& operator=(Worker&&) = delete;
  ~Worker() {
    if (handle_) handle_.destroy();
  }
  void resume() { handle_.resume(); }

 private:
  std::coroutine_handle<promise_type> handle_;
};

template <typename Base>
Worker<Base> work() {
  for (;;) co_await std::suspend_always{};
}

template <typename Base>
void ResumeAndSuspend(benchmark::State& state) {
  const auto token = bursar::ResourceGroupRegistry::global().register_resource_group("bench.coroutine");
  Worker<Base> worker = [&] {
    const bursar::ResourceTrackingGuard guard(token);
    return work<Base>();
  }();
  for (auto _ : state) worker.resume();
}
BENCHMARK(ResumeAndSuspend<PlainPromise>)->Name("resume and suspend, untracked");
BENCHMARK(ResumeAndSuspend<bursar::GroupFollowingPromise>)->Name("resume and suspend, following its group");

}  // namespace
