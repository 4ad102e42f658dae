#pragma once

#include <bursar/groups/resource_group_token.h>
#include <bursar/groups/resource_stats.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <type_traits>

namespace bursar {

// The resource groups of the process. There is one registry; it needs no set-up and outlives everything.
//
// Thread-safety: all functions may be called from any thread, though not from signal handlers.
// Allocates: no (its tables are mapped from the kernel). Blocks: for a lock that guards the names, held for well under a
// microsecond at a time: registering and retiring take it, and a visit takes it for each name. Figures are read without.
class ResourceGroupRegistry {
 public:
  // How many groups there can be at once, `root` included, and how long a name may be.
  static constexpr std::size_t kMaxGroups = 65'000;
  static constexpr std::size_t kMaxNameLength = 1023;

  [[nodiscard]] static ResourceGroupRegistry& global() noexcept;

  // The token of the group `name`; the same name gives the same token. A name that is empty or too long, or one group
  // more than there can be, gives the token of `root`; this is counted, and warned of once on standard error.
  [[nodiscard]] ResourceGroupToken register_resource_group(std::string_view name) noexcept;

  // Frees the group's name. Blocks that it still holds go on crediting it; once the last one is gone, and no thread is
  // in the group, its number is used again and its figures are added to those of all retired groups. Registering the
  // name again before that revives the group. False where the token is stale already, or `root`.
  bool retire(ResourceGroupToken token) noexcept;

  // Calls `visitor(std::string_view name, const ResourceStats& stats)` for each group, `root` first, then in the order
  // of their numbers. No lock is held meanwhile: the visitor may register and retire groups, allocate, and take its
  // time. Groups that are retired and still hold something are visited under the name that they had.
  template <typename Visitor>
  void visit_resource_groups(Visitor&& visitor) const {
    using Plain = std::remove_reference_t<Visitor>;
    visit([](void* context, std::string_view name,
             const ResourceStats& stats) { (*static_cast<Plain*>(context))(name, stats); },
          const_cast<void*>(static_cast<const void*>(std::addressof(visitor))));
  }

  // The sum over all groups that there ever were: those that are visited, and those that are gone.
  [[nodiscard]] ResourceStatsSnapshot totals() const noexcept;
  // What the groups held that are gone.
  [[nodiscard]] ResourceStatsSnapshot retired_totals() const noexcept;

  // How often a stale token was entered, and how often a group could not be registered.
  [[nodiscard]] std::uint64_t stale_tokens() const noexcept;
  [[nodiscard]] std::uint64_t rejected_groups() const noexcept;
  // Blocks that were released without a valid tag: overrun by the program, or from another allocator.
  [[nodiscard]] std::uint64_t foreign_blocks() const noexcept;

  // Whether allocations of this process are tracked at all: tried out with a real allocation, then remembered.
  [[nodiscard]] static bool allocator_installed() noexcept;

  ResourceGroupRegistry(const ResourceGroupRegistry&) = delete;
  ResourceGroupRegistry& operator=(const ResourceGroupRegistry&) = delete;

 private:
  using VisitFunction = void (*)(void* context, std::string_view name, const ResourceStats& stats);

  constexpr ResourceGroupRegistry() noexcept = default;
  void visit(VisitFunction function, void* context) const;
};

}  // namespace bursar
