#pragma once

#include <bursar/groups/group_presence.h>
#include <bursar/groups/resource_group_token.h>

#include <cstddef>
#include <memory_resource>

namespace bursar {

// A memory resource whose memory belongs to one group, whichever group the thread is in that asks for it: so that an
// arena, or a container, belongs to a component.
//
// Where malloc is tracked, what the upstream resource allocates on the way is charged to the group, in usable bytes.
// Where it is not, the bytes that were asked for are charged. The group keeps its number while the resource lives.
//
// Thread-safety: as the upstream resource. Allocates: as the upstream. Blocks: as the upstream.
class TrackingResource final : public std::pmr::memory_resource {
 public:
  // REQUIRES: `upstream` outlives this.
  explicit TrackingResource(ResourceGroupToken token,
                            std::pmr::memory_resource* upstream = std::pmr::new_delete_resource());

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override;
  void do_deallocate(void* block, std::size_t bytes, std::size_t alignment) override;
  [[nodiscard]] bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override;

  groups::GroupPresence presence_;
  std::pmr::memory_resource* upstream_;
  bool malloc_is_tracked_;
};

}  // namespace bursar
