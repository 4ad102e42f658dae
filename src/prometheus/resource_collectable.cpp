#include <bursar/prometheus/resource_collectable.h>

#include "prometheus/exposition_families.h"

#include <utility>

namespace bursar {
namespace {

// What a program answers itself is no concern of a registry of metrics.
ResourceApiOptions without_routes(ResourceApiOptions options) {
  options.routes.clear();
  return options;
}

}  // namespace

ResourceCollectable::ResourceCollectable(ComponentRegistryHandle components, ResourceApiOptions options)
    : handler_(std::move(components), without_routes(std::move(options))) {}

ResourceCollectable::~ResourceCollectable() = default;

// By way of the text, so that there is one description of the families and none that could differ from it.
std::vector<::prometheus::MetricFamily> ResourceCollectable::Collect() const {
  return prometheus_detail::families_of(handler_.handle("GET", "/metrics").body);
}

}  // namespace bursar
