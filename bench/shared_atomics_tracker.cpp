#include "shared_atomics_tracker.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "thread_time.h"

namespace bursar::bench {
namespace {

using Owner = SharedGroup*;

constinit SharedGroup root_group;
constinit thread_local Owner current_group = &root_group;

// Where the trailer stands: behind the request, aligned for a pointer.
constexpr std::size_t trailer_offset(std::size_t bytes) {
  return (bytes + sizeof(Owner) - 1) & ~(sizeof(Owner) - 1);
}

}  // namespace

void* SharedAtomicsTracker::allocate(std::size_t bytes) noexcept {
  const std::size_t offset = trailer_offset(bytes);
  auto* block = static_cast<std::byte*>(std::malloc(offset + sizeof(Owner)));
  if (block == nullptr) return nullptr;
  const Owner owner = current_group;
  std::memcpy(block + offset, &owner, sizeof(owner));
  owner->allocated_bytes.fetch_add(offset + sizeof(Owner), std::memory_order_relaxed);
  owner->allocated_objects.fetch_add(1, std::memory_order_relaxed);
  return block;
}

void SharedAtomicsTracker::release(void* block, std::size_t bytes) noexcept {
  if (block == nullptr) return;
  const std::size_t offset = trailer_offset(bytes);
  Owner owner = nullptr;
  std::memcpy(&owner, static_cast<std::byte*>(block) + offset, sizeof(owner));
  owner->deallocated_bytes.fetch_add(offset + sizeof(Owner), std::memory_order_relaxed);
  owner->deallocated_objects.fetch_add(1, std::memory_order_relaxed);
  std::free(block);
}

void* SharedAtomicsTracker::allocate_zeroed(std::size_t bytes) noexcept {
  void* block = allocate(bytes);
  if (block != nullptr) {
    // Or the compiler would make malloc and memset into the calloc that this design does not call.
    asm volatile("" : "+r"(block));
    std::memset(block, 0, bytes);
  }
  return block;
}

void* SharedAtomicsTracker::reallocate(void* block, std::size_t old_bytes, std::size_t new_bytes) noexcept {
  void* moved = allocate(new_bytes);
  if (moved == nullptr || block == nullptr) return moved;
  std::memcpy(moved, block, std::min(old_bytes, new_bytes));
  release(block, old_bytes);
  return moved;
}

SharedAtomicsTracker::Guard::Guard(SharedGroup& group) noexcept
    : group_(&group), previous_(current_group), begin_nanos_(thread_cpu_nanos()) {
  current_group = group_;
}

SharedAtomicsTracker::Guard::~Guard() {
  group_->cpu_nanos.fetch_add(thread_cpu_nanos() - begin_nanos_, std::memory_order_relaxed);
  current_group = previous_;
}

}  // namespace bursar::bench
