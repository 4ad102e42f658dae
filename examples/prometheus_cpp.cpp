#include <bursar/bursar.h>
#include <bursar/prometheus/resource_collectable.h>

#include <prometheus/exposer.h>

#include <iostream>
#include <memory>
#include <vector>

int main() {
  bursar::ComponentRegistry registry;
  const auto cache = registry.get_or_create("cache").token();
  const auto resources = std::make_shared<bursar::ResourceCollectable>(registry.root());

  // The exposer keeps a weak reference: `resources` lives as long as it is to be shown.
  prometheus::Exposer exposer("127.0.0.1:0");
  exposer.RegisterCollectable(resources);

  const auto guard = cache.enter();
  const std::vector<char> entries(1'000'000);
  std::cout << "http://127.0.0.1:" << exposer.GetListeningPorts().front() << "/metrics shows "
            << resources->Collect().size() << " families\n";
}
