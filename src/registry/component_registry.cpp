#include "bounds/component_node.h"
#include "registry/snapshot_tree.h"

#include <bursar/base/json_escape.h>
#include <bursar/groups/resource_group_registry.h>
#include <bursar/registry/component_registry.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

namespace bursar {
namespace {

static_assert(kMaxComponentNameLength <= ResourceGroupRegistry::kMaxNameLength,
              "every component's name must do as the name of a group");

void collect(std::vector<const ComponentSnapshot*>& components, const ComponentSnapshot& component) {
  components.push_back(&component);
  for (const ComponentSnapshot& subcomponent : component.subcomponents) collect(components, subcomponent);
}

std::string status_json(const ComponentSnapshot& component) {
  const std::uint64_t live_bytes = component.usage ? component.usage->live_bytes() : 0;
  return json_string(component.full_name) +
         ": {\"minimum_required_bytes\": " + std::to_string(component.minimum_required_bytes) +
         ", \"firm_limit_bytes\": " + std::to_string(component.firm_limit_bytes) +
         ", \"actual_live_bytes\": " + std::to_string(live_bytes) + '}';
}

}  // namespace

std::expected<VerifiedBounds, VerifierError> ComponentRegistryHandle::verify_bounds(const MemoryGrant& grant) const {
  return BoundsVerifier(grant, as_bounds()).verify();
}

std::string ComponentRegistryHandle::memory_snapshot_json() const {
  const RegistrySnapshot taken = snapshot();
  std::vector<const ComponentSnapshot*> components;
  collect(components, taken.root);
  // The tree is sorted level by level; "a-b" stands between "a" and "a.b" in the order of full names.
  std::ranges::sort(components, {}, &ComponentSnapshot::full_name);

  std::string json = "{";
  for (const ComponentSnapshot* component : components) {
    if (json.size() > 1) json += ", ";
    json += status_json(*component);
  }
  return json += '}';
}

RegistrySnapshot ComponentRegistryHandle::snapshot() const {
  return join(as_bounds(), group_usage());
}

ComponentBounds ComponentRegistryHandle::as_bounds() const {
  return root_->bounds();
}

ComponentRegistry::ComponentRegistry() : node_(ComponentNode::make_root()) {}

ComponentRegistry ComponentRegistry::get_or_create(std::string_view name) const {
  auto component = try_get_or_create(name);
  if (!component) throw std::invalid_argument(component.error().message);
  return *std::move(component);
}

std::expected<ComponentRegistry, ComponentNameError> ComponentRegistry::try_get_or_create(std::string_view name) const {
  auto node = ComponentNode::get_or_create(node_, name);
  if (!node) return std::unexpected(std::move(node).error());
  return ComponentRegistry(*std::move(node));
}

MemoryBoundsBuilder ComponentRegistry::bounds_builder() const {
  return MemoryBoundsBuilder(node_);
}

// Not kept: the registry of groups gives the same token for the same name, `root` included, and knows when a group was
// retired.
ResourceGroupToken ComponentRegistry::token() const {
  return ResourceGroupRegistry::global().register_resource_group(node_->full_name());
}

ComponentBounds ComponentRegistry::as_bounds() const {
  return node_->bounds();
}

std::string_view ComponentRegistry::full_name() const noexcept {
  return node_->full_name();
}

ComponentRegistryHandle ComponentRegistry::root() const noexcept {
  return ComponentRegistryHandle(ComponentNode::root_of(node_));
}

}  // namespace bursar
