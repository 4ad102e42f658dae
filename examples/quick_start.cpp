#include <bursar/bursar.h>
#include <bursar/report/table.h>

#include <iostream>
#include <unordered_map>

int main() {
  using Entries = std::unordered_map<int, std::string>;
  const bursar::ComponentRegistry components;
  const auto cache = components.get_or_create("cache");
  cache.bounds_builder().firm().with_container<Entries>("entries", 10'000).with_fixed_amount("values", 2 << 20);

  const auto grant = bursar::MemoryGrant::with_slop_factor(64 << 20, 0.25);
  if (const auto verified = components.root().verify_bounds(*grant); !verified) {
    std::cerr << verified.error().message() << '\n';
    return 2;
  }
  Entries entries;
  {
    const auto guard = cache.token().enter();  // from here on this thread works for the cache
    for (int i = 0; i < 10'000; ++i) entries.emplace(i, std::string(100, 'x'));
  }
  const auto report = bursar::take_resource_report(components.root(), bursar::ProcessSensor(), *grant);
  for (const std::string& line : bursar::render_table(report)) std::cout << line << '\n';
}
