#pragma once

#include <bursar/groups/group_presence.h>
#include <bursar/groups/resource_group_registry.h>
#include <bursar/groups/resource_group_token.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace bursar::bench {

// Ours. The program calls malloc as ever; that it is tracked is the executable's business, which links
// bursar::interpose.
struct Design {
  using Group = ResourceGroupToken;
  using Guard = ResourceTrackingGuard;

  // As TrackingResource does around each of its calls.
  class [[nodiscard]] Detour {
   public:
    [[nodiscard]] explicit Detour(ResourceGroupToken token) noexcept : presence_(token), detour_(presence_.group()) {}

   private:
    groups::GroupPresence presence_;
    groups::AllocationDetour detour_;
  };

  [[nodiscard]] static ResourceGroupToken group(std::string_view name) noexcept {
    return ResourceGroupRegistry::global().register_resource_group(name);
  }

  [[nodiscard]] static void* allocate(std::size_t bytes) noexcept { return std::malloc(bytes); }
  static void release(void* block, std::size_t /*bytes*/) noexcept { std::free(block); }
  [[nodiscard]] static void* allocate_zeroed(std::size_t bytes) noexcept { return std::calloc(1, bytes); }
  [[nodiscard]] static void* reallocate(void* block, std::size_t /*old_bytes*/, std::size_t bytes) noexcept {
    return std::realloc(block, bytes);
  }

  [[nodiscard]] static std::uint64_t snapshot() {
    std::uint64_t live_bytes = 0;
    ResourceGroupRegistry::global().visit_resource_groups(
        [&](std::string_view, const ResourceStats& stats) { live_bytes += stats.totals().live_bytes(); });
    return live_bytes;
  }
};

}  // namespace bursar::bench
