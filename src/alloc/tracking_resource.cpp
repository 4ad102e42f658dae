#include <bursar/alloc/tracking_resource.h>

#include <bursar/groups/resource_group_registry.h>
#include <bursar/groups/thread_account.h>

namespace bursar {

TrackingResource::TrackingResource(ResourceGroupToken token, std::pmr::memory_resource* upstream)
    : presence_(token), upstream_(upstream), malloc_is_tracked_(ResourceGroupRegistry::allocator_installed()) {}

void* TrackingResource::do_allocate(std::size_t bytes, std::size_t alignment) {
  if (malloc_is_tracked_) {
    const groups::AllocationDetour detour(presence_.group());
    return upstream_->allocate(bytes, alignment);
  }
  void* block = upstream_->allocate(bytes, alignment);
  groups::charge_allocation_to(presence_.group(), bytes);
  return block;
}

void TrackingResource::do_deallocate(void* block, std::size_t bytes, std::size_t alignment) {
  if (!malloc_is_tracked_) groups::charge_release(presence_.group(), bytes);
  upstream_->deallocate(block, bytes, alignment);
}

bool TrackingResource::do_is_equal(const std::pmr::memory_resource& other) const noexcept {
  return this == &other;
}

}  // namespace bursar
