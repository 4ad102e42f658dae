#include <bursar/bounds/memory_grant.h>
#include <bursar/limiter/limiter_policy.h>
#include <bursar/limiter/memory_limiter.h>
#include <bursar/limiter/memory_sensor.h>

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdint>
#include <utility>

// What a wait for capacity costs while there is capacity, beside a loop that does nothing; and what one look at the
// sensors costs the limiter's thread.

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
