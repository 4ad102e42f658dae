#pragma once

#include <bursar/bounds/bounds_verifier.h>
#include <bursar/bounds/component_bounds.h>
#include <bursar/bounds/component_name.h>
#include <bursar/bounds/memory_bounds_builder.h>
#include <bursar/bounds/memory_grant.h>
#include <bursar/groups/resource_group_token.h>
#include <bursar/registry/registry_snapshot.h>

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace bursar {

// A whole tree of components, to read: what verifying and reporting need. Copies are of the same tree, and share its
// ownership.
//
// Thread-safety: all functions may be called from any thread. Allocates: its answers. Blocks: for other users of the
// tree.
class ComponentRegistryHandle {
 public:
  // Whether everything that is declared fits `grant`.
  [[nodiscard]] std::expected<VerifiedBounds, VerifierError> verify_bounds(const MemoryGrant& grant) const;

  // The body of `GET /memory/status`: an object with an entry for each component, sorted by full dotted name,
  //
  //   {"topology.sources.udp": {"minimum_required_bytes": n, "firm_limit_bytes": n, "actual_live_bytes": n}}
  //
  // The figures are those of the component itself, without what is below it; the firm limit is what it may use on top of
  // its minimum. Live bytes are those of the component's group, and 0 where it has none. Reading registers no group.
  [[nodiscard]] std::string memory_snapshot_json() const;

  // The tree with everything that is declared and used. Cost: one walk of the tree, and one visit of all groups.
  [[nodiscard]] RegistrySnapshot snapshot() const;

  // What has been declared in the whole tree.
  [[nodiscard]] ComponentBounds as_bounds() const;

 private:
  friend class ComponentRegistry;
  explicit ComponentRegistryHandle(std::shared_ptr<ComponentNode> root) noexcept : root_(std::move(root)) {}

  std::shared_ptr<ComponentNode> root_;
};

// The components of a program: a tree of names, each with bounds and, once its token is asked for, a resource group. An
// object of this type stands for one component of the tree; one made by itself for the root of a new tree. Copies stand
// for the same component. All of them share the ownership of the tree.
//
// Thread-safety: all functions may be called from any thread. Allocates: yes. Blocks: for other users of the tree.
class ComponentRegistry {
 public:
  ComponentRegistry();

  // The component `name`, a path such as "a.b.c", below this one; levels that do not exist are made, each once.
  // Throws std::invalid_argument with the message of the ComponentNameError.
  ComponentRegistry get_or_create(std::string_view name) const;
  // The same with the error as a value. On an error nothing is made.
  [[nodiscard]] std::expected<ComponentRegistry, ComponentNameError> try_get_or_create(std::string_view name) const;

  // Declares the bounds of this component; stays valid without it.
  [[nodiscard]] MemoryBoundsBuilder bounds_builder() const;

  // The component's resource group, under its full dotted name. Registered when first asked for; `root` for the root.
  [[nodiscard]] ResourceGroupToken token() const;

  // What has been declared for this component and below it.
  [[nodiscard]] ComponentBounds as_bounds() const;

  // The dotted path from the top level, "a.b.c"; "root" for the root. Valid as long as any user of the tree lives.
  [[nodiscard]] std::string_view full_name() const noexcept;

  // The whole tree, from whichever component of it.
  [[nodiscard]] ComponentRegistryHandle root() const noexcept;

 private:
  explicit ComponentRegistry(std::shared_ptr<ComponentNode> node) noexcept : node_(std::move(node)) {}

  std::shared_ptr<ComponentNode> node_;
};

}  // namespace bursar
