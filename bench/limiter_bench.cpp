#include <bursar/bounds/memory_grant.h>
#include <bursar/limiter/cgroup_sensor.h>
#include <bursar/limiter/detect_memory_limit.h>
#include <bursar/limiter/limiter_policy.h>
#include <bursar/limiter/memory_limiter.h>
#include <bursar/limiter/memory_sensor.h>

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdint>
#include <utility>

// What a wait for capacity costs while there is capacity, beside a loop that does nothing; what it costs while the limit
// is near; and what one look at the sensors costs.

namespace bursar {
namespace {

MemoryLimiter limiter_without_pressure() {
  return MemoryLimiter::create(MemoryGrant::effective(std::uint64_t{1} << 40).value()).value();
}

void EmptyLoop(benchmark::State& state) {
  for (auto _ : state) benchmark::ClobberMemory();
}
BENCHMARK(EmptyLoop);

void WaitForCapacityWithoutPressure(benchmark::State& state) {
  const MemoryLimiter limiter = limiter_without_pressure();
  for (auto _ : state) {
    limiter.wait_for_capacity();
    benchmark::ClobberMemory();
  }
}
BENCHMARK(WaitForCapacityWithoutPressure);

// There is room for 16 MiB: callers have to see for themselves whether they use it up.
void WaitForCapacityWithLittleRoom(benchmark::State& state) {
  MemoryLimiterOptions options;
  options.thread_growth = []() noexcept { return std::uint64_t{0}; };
  const std::uint64_t limit_bytes = resident_size_sensor().value()().value() + (std::uint64_t{16} << 20);
  const MemoryLimiter limiter =
      MemoryLimiter::create(MemoryGrant::effective(limit_bytes).value(), std::move(options)).value();
  for (auto _ : state) {
    limiter.wait_for_capacity();
    benchmark::ClobberMemory();
  }
}
BENCHMARK(WaitForCapacityWithLittleRoom);

void WaitForCapacityOfNoop(benchmark::State& state) {
  const MemoryLimiter limiter = MemoryLimiter::noop();
  for (auto _ : state) {
    limiter.wait_for_capacity();
    benchmark::ClobberMemory();
  }
}
BENCHMARK(WaitForCapacityOfNoop);

void ShouldShed(benchmark::State& state) {
  const MemoryLimiter limiter = limiter_without_pressure();
  for (auto _ : state) benchmark::DoNotOptimize(limiter.should_shed());
}
BENCHMARK(ShouldShed);

void SenseResidentSize(benchmark::State& state) {
  const MemorySensor sensor = resident_size_sensor().value();
  for (auto _ : state) benchmark::DoNotOptimize(sensor());
}
BENCHMARK(SenseResidentSize);

void SenseWorkingSet(benchmark::State& state) {
  const auto group = detect_memory_limit().own_group;
  const auto sensor = group ? cgroup_working_set_sensor(*group) : std::unexpected("no control group counts memory");
  if (!sensor) return state.SkipWithError(sensor.error().c_str());
  for (auto _ : state) benchmark::DoNotOptimize((*sensor)());
}
BENCHMARK(SenseWorkingSet);

void Poll(benchmark::State& state) {
  MemoryLimiterOptions options;
  options.background_thread = false;
  const MemoryLimiter limiter =
      MemoryLimiter::create(MemoryGrant::effective(std::uint64_t{1} << 40).value(), std::move(options)).value();
  for (auto _ : state) benchmark::DoNotOptimize(limiter.poll());
}
BENCHMARK(Poll);

}  // namespace
}  // namespace bursar
