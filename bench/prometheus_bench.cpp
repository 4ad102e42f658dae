#include <bursar/alloc/tracking_resource.h>
#include <bursar/prometheus/resource_collectable.h>
#include <bursar/registry/component_registry.h>
#include <bursar/report/resource_api_handler.h>

#include <benchmark/benchmark.h>

#include <string>

// What a scrape costs a program of 1,000 components, each with bounds and a group that was used: the text of the handler,
// and the families for prometheus-cpp. Both should stay below 5 ms.

namespace bursar {
namespace {

constexpr int kComponents = 1'000;

// One for the process: groups stay.
const ComponentRegistry& components() {
  static const ComponentRegistry kRegistry = [] {
    ComponentRegistry registry;
    for (int number = 0; number < kComponents; ++number) {
      const auto node = registry.get_or_create("topology.transforms.number_" + std::to_string(number));
      const auto builder = node.bounds_builder();
      builder.minimum().with_fixed_amount("minimum", 1'000);
      builder.firm().with_fixed_amount("firm", 10'000);
      TrackingResource resource(node.token());
      resource.deallocate(resource.allocate(1'000), 1'000);
    }
    return registry;
  }();
  return kRegistry;
}

void MetricsAsText(benchmark::State& state) {
  const ResourceApiHandler handler(components().root());
  for (auto _ : state) benchmark::DoNotOptimize(handler.handle("GET", "/metrics"));
}
BENCHMARK(MetricsAsText)->Unit(benchmark::kMillisecond);

void MetricsForPrometheusCpp(benchmark::State& state) {
  const ResourceCollectable collectable(components().root());
  for (auto _ : state) benchmark::DoNotOptimize(collectable.Collect());
}
BENCHMARK(MetricsForPrometheusCpp)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace bursar
