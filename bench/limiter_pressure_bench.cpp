#include <bursar/bounds/memory_grant.h>
#include <bursar/limiter/limiter_event.h>
#include <bursar/limiter/memory_limiter.h>
#include <bursar/limiter/memory_sensor.h>

#include <benchmark/benchmark.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

// What the limiter does to real producers that run into a real limit, by the process's resident size: how soon, how far
// over, to whom, and at what price.

namespace bursar {
namespace {

using SteadyClock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr std::size_t kItemBytes = std::size_t{64} << 10;
constexpr std::uint64_t kRoomBytes = std::uint64_t{256} << 20;
constexpr std::uint64_t kProducerBytesPerSecond = 1'000'000'000;
constexpr std::uint64_t kConsumerBytesPerSecond = 100'000'000;

thread_local constinit std::uint64_t allocated_bytes = 0;
thread_local constinit double bound_share = 0;

std::uint64_t resident_bytes() {
  static const MemorySensor sensor = resident_size_sensor().value();
  return sensor().value_or(0);
}

double percent(double share) {
  return 100 * share;
}

double milliseconds_of(SteadyClock::duration time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

// Memory that is touched, and given back to the kernel at the end: what stays with the allocator would spoil the next
// run.
class Item {
 public:
  Item() : bytes_(::mmap(nullptr, kItemBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
    if (bytes_ == MAP_FAILED) std::abort();
    std::memset(bytes_, 1, kItemBytes);
    allocated_bytes += kItemBytes;
  }
  ~Item() {
    if (bytes_ != nullptr) ::munmap(bytes_, kItemBytes);
  }
  Item(Item&& other) noexcept : bytes_(std::exchange(other.bytes_, nullptr)) {}
  Item& operator=(Item&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }

 private:
  void* bytes_;
};

// Lets so many bytes a second pass.
class Pace {
 public:
  explicit Pace(std::uint64_t bytes_per_second) : step_(kItemBytes * 1'000'000'000 / bytes_per_second) {}

  void spin() {
    while (SteadyClock::now() < next_) {
    }
    advance();
  }
  void sleep() {
    std::this_thread::sleep_until(next_);
    advance();
  }

 private:
  // What was missed is not made up for.
  void advance() { next_ = std::max(next_ + step_, SteadyClock::now()); }

  nanoseconds step_;
  SteadyClock::time_point next_ = SteadyClock::now();
};

// What has been produced and not yet consumed.
class Queue {
 public:
  void push(Item item) {
    const std::lock_guard lock(mutex_);
    items_.push_back(std::move(item));
  }
  void pop() {
    std::optional<Item> item;
    const std::lock_guard lock(mutex_);
    if (items_.empty()) return;
    item.emplace(std::move(items_.front()));
    items_.pop_front();
  }

 private:
  std::mutex mutex_;
  std::deque<Item> items_;
};

enum class Growth : std::uint8_t { Told, Untold };

MemoryLimiter limiter_with_room(std::uint64_t room_bytes, Growth growth, LimiterMode mode = LimiterMode::On) {
  MemoryLimiterOptions options;
  options.mode = mode;
  if (growth == Growth::Told) {
    options.thread_growth = []() noexcept { return allocated_bytes; };
  }
  options.bound_share = []() -> std::optional<double> {
    if (bound_share == 0) return std::nullopt;
    return bound_share;
  };
  return MemoryLimiter::create(MemoryGrant::effective(resident_bytes() + room_bytes).value(), std::move(options))
      .value();
}

// The process ID of the limiter's thread, and its CPU time as the kernel has it.
std::string limiter_task() {
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    if (std::getline(std::ifstream(task.path() / "comm"), name) && name == "bursar-limiter") return task.path();
  }
  return {};
}

nanoseconds cpu_time_of(const std::string& task) {
  std::int64_t nanos = 0;
  std::ifstream(task + "/schedstat") >> nanos;
  return nanoseconds(nanos);
}

void ProducerRunsIntoTheLimit(benchmark::State& state, Growth growth, LimiterMode mode) {
  double worst_reaction = 0;
  double worst_overshoot = 0;
  double worst_peak = 0;
  double looks = 0;
  for (auto _ : state) {
    const MemoryLimiter limiter = limiter_with_room(kRoomBytes, growth, mode);
    const std::uint64_t limit_bytes = limiter.effective_limit_bytes().value();
    const std::uint64_t soft_bytes = limit_bytes / 100 * 95;
    Queue queue;
    std::atomic<bool> stop{false};
    const std::jthread consumer([&] {
      Pace pace(kConsumerBytesPerSecond);
      while (!stop.load(std::memory_order_relaxed)) {
        pace.sleep();
        queue.pop();
      }
    });
    std::uint64_t peak_bytes = 0;
    std::optional<SteadyClock::time_point> crossed_at;
    Pace pace(kProducerBytesPerSecond);
    const SteadyClock::time_point end = SteadyClock::now() + milliseconds(1000);
    while (SteadyClock::now() < end) {
      pace.spin();
      limiter.wait_for_capacity();
      queue.push(Item());
      const std::uint64_t now_bytes = resident_bytes();
      peak_bytes = std::max(peak_bytes, now_bytes);
      if (!crossed_at && now_bytes >= soft_bytes) crossed_at = SteadyClock::now();
    }
    stop.store(true, std::memory_order_relaxed);
    if (!crossed_at) return state.SkipWithError("the producer never came near the limit");
    // The first event that left a back-off in force; the limiter may have seen it before this thread did.
    const std::vector<LimiterEvent> events = limiter.events();
    const auto in_force =
        std::ranges::find_if(events, [](const LimiterEvent& event) { return event.backoff.count() > 0; });
    const SteadyClock::time_point in_force_at = in_force == events.end() ? end : in_force->time;
    const auto reaction = std::max(in_force_at - *crossed_at, SteadyClock::duration::zero());
    const double peak = static_cast<double>(peak_bytes) / static_cast<double>(limit_bytes);
    worst_reaction = std::max(worst_reaction, milliseconds_of(reaction));
    worst_peak = std::max(worst_peak, percent(peak));
    worst_overshoot = std::max(worst_overshoot, percent(std::max(peak - 1.0, 0.0)));
    looks += static_cast<double>(limiter.looks_total());
  }
  state.counters["reaction_ms"] = worst_reaction;
  state.counters["peak_percent"] = worst_peak;
  state.counters["overshoot_percent"] = worst_overshoot;
  state.counters["looks_per_s"] = benchmark::Counter(looks / static_cast<double>(state.iterations()));
}
BENCHMARK_CAPTURE(ProducerRunsIntoTheLimit, growth_told, Growth::Told, LimiterMode::On)
    ->Iterations(5)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(ProducerRunsIntoTheLimit, growth_untold, Growth::Untold, LimiterMode::On)
    ->Iterations(5)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(ProducerRunsIntoTheLimit, only_observed, Growth::Told, LimiterMode::Observe)
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

// Items a second of a component that keeps its bounds: it allocates, works and frees.
double pieces_per_second(const MemoryLimiter& limiter, milliseconds time) {
  bound_share = 0.5;
  const SteadyClock::time_point start = SteadyClock::now();
  const SteadyClock::time_point end = start + time;
  double pieces = 0;
  for (Pace pace(kProducerBytesPerSecond / 2); SteadyClock::now() < end; ++pieces) {
    limiter.wait_for_capacity();
    const Item item;
    pace.spin();
  }
  bound_share = 0;
  return pieces / std::chrono::duration<double>(SteadyClock::now() - start).count();
}

void OneWithinItsBoundBesideOneFourTimesOver(benchmark::State& state) {
  double least_kept = 1;
  double waits = 0;
  for (auto _ : state) {
    const double alone = pieces_per_second(MemoryLimiter::noop(), milliseconds(500));
    const MemoryLimiter limiter = limiter_with_room(kRoomBytes, Growth::Told);
    std::atomic<bool> stop{false};
    Queue queue;
    const std::jthread guilty([&] {
      bound_share = 4;
      for (Pace pace(kProducerBytesPerSecond); !stop.load(std::memory_order_relaxed); pace.spin()) {
        limiter.wait_for_capacity();
        queue.push(Item());
      }
    });
    const std::jthread consumer([&] {
      for (Pace pace(kConsumerBytesPerSecond); !stop.load(std::memory_order_relaxed); pace.sleep()) queue.pop();
    });
    while (limiter.state() == LimiterState::Normal) std::this_thread::sleep_for(milliseconds(1));
    const double beside = pieces_per_second(limiter, milliseconds(1000));
    stop.store(true, std::memory_order_relaxed);
    least_kept = std::min(least_kept, beside / alone);
    waits += static_cast<double>(limiter.waits_total());
  }
  state.counters["kept_percent"] = percent(least_kept);
  state.counters["waits"] = benchmark::Counter(waits, benchmark::Counter::kAvgIterations);
}
BENCHMARK(OneWithinItsBoundBesideOneFourTimesOver)->Iterations(3)->Unit(benchmark::kMillisecond);

// The share of a core that the limiter's thread takes, with usage at so many percent of the limit, standing still or
// rising and falling by 3 % of the limit twenty times a second.
void CostOfSensing(benchmark::State& state) {
  const auto usage_percent = static_cast<std::uint64_t>(state.range(0));
  const bool moving = state.range(1) != 0;
  std::vector<Item> held;
  double share = 0;
  for (auto _ : state) {
    const std::uint64_t limit_bytes = resident_bytes() * 100 / usage_percent;
    const MemoryLimiter limiter = MemoryLimiter::create(MemoryGrant::effective(limit_bytes).value()).value();
    const std::string task = limiter_task();
    const std::uint64_t swing_bytes = limit_bytes / 100 * 3;
    const nanoseconds cpu_before = cpu_time_of(task);
    const SteadyClock::time_point start = SteadyClock::now();
    while (SteadyClock::now() - start < std::chrono::seconds(10)) {
      for (std::uint64_t bytes = 0; moving && bytes < swing_bytes; bytes += kItemBytes) held.emplace_back();
      std::this_thread::sleep_for(milliseconds(25));
      held.clear();
      std::this_thread::sleep_for(milliseconds(25));
    }
    const nanoseconds elapsed = SteadyClock::now() - start;
    share = static_cast<double>((cpu_time_of(task) - cpu_before).count()) / static_cast<double>(elapsed.count());
    state.counters["looks_per_s"] =
        static_cast<double>(limiter.looks_total()) / std::chrono::duration<double>(elapsed).count();
  }
  state.counters["core_percent"] = percent(share);
}
BENCHMARK(CostOfSensing)
    ->ArgNames({"usage_percent", "moving"})
    ->Args({10, 0})
    ->Args({94, 0})
    ->Args({94, 1})
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace bursar
