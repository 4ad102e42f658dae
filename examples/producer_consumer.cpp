// A producer that is faster than its consumer, with a queue between them that nothing bounds but the limiter: the
// producer waits for capacity before each item.
//
//   producer_consumer SECONDS
//
// It prints how many items were consumed. The limit is that of its control group, or BURSAR_MEMORY_LIMIT; with
// BURSAR_MEMORY_MODE=disabled nothing holds the producer back.
#include <bursar/bursar.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

namespace {

using Item = std::vector<char>;

constexpr std::size_t kItemBytes = 64 * 1024;
// What the consumer needs for an item.
constexpr std::chrono::milliseconds kWork{1};

class Queue {
 public:
  void push(Item item) {
    const std::lock_guard lock(mutex_);
    items_.push_back(std::move(item));
  }

  std::optional<Item> pop() {
    const std::lock_guard lock(mutex_);
    if (items_.empty()) return std::nullopt;
    Item item = std::move(items_.front());
    items_.pop_front();
    return item;
  }

 private:
  std::mutex mutex_;
  std::deque<Item> items_;
};

}  // namespace

int main(int argc, char** argv) {
  const std::chrono::duration<double> duration(argc > 1 ? std::strtod(argv[1], nullptr) : 1.0);

  const bursar::ComponentRegistry components;
  const bursar::ComponentRegistry backlog = components.get_or_create("backlog");
  backlog.bounds_builder().minimum().with_fixed_amount("items", 4 * kItemBytes);
  backlog.bounds_builder().firm().with_fixed_amount("items", std::size_t{16} << 20);
  const auto accounting = bursar::ResourceAccounting::start(components.root());
  if (!accounting) {
    std::fprintf(stderr, "producer_consumer: %s\n", accounting.error().c_str());
    return 2;
  }

  Queue queue;
  const std::jthread producer([&](const std::stop_token& stop) {
    const bursar::ResourceTrackingGuard guard(backlog.token());
    while (!stop.stop_requested()) {
      accounting->limiter().wait_for_capacity(stop);
      queue.push(Item(kItemBytes, 'x'));
    }
  });

  // By the clock, so that what a busy machine delays is caught up with.
  const auto start = std::chrono::steady_clock::now();
  const auto end = start + std::chrono::duration_cast<std::chrono::steady_clock::duration>(duration);
  std::size_t consumed = 0;
  for (auto next = start; next < end; next += kWork) {
    std::this_thread::sleep_until(next);
    if (queue.pop()) ++consumed;
  }
  std::printf("consumed %zu\n", consumed);
}
