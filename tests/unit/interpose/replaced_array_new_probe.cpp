// A program that replaces the array forms alone. The plain ones stay tracked.

#include <cstddef>
#include <cstdlib>
#include <new>

#include <bursar/groups/resource_group_registry.h>

#include "unit/interpose/escape.h"

namespace {

constinit int own_allocations = 0;
constinit int own_releases = 0;
constexpr std::size_t kMark = 64;

}  // namespace

// A block of its own kind: what malloc would be given back is not what malloc gave.
void* operator new[](std::size_t bytes) {
  void* block = std::malloc(bytes + kMark);
  if (block == nullptr) throw std::bad_alloc();
  ++own_allocations;
  return static_cast<std::byte*>(block) + kMark;
}
void operator delete[](void* block) noexcept {
  if (block == nullptr) return;
  ++own_releases;
  std::free(static_cast<std::byte*>(block) - kMark);
}

int main() {
  using bursar::testing::escape;
  const bursar::ResourceGroupToken token = bursar::ResourceGroupRegistry::global().register_resource_group("probe");
  const bursar::ResourceTrackingGuard guard = token.enter();
  delete[] escape(new int[10]);
  ::operator delete[](escape(::operator new[](10)), std::size_t{10});
  ::operator delete[](escape(::operator new[](10, std::nothrow)), std::nothrow);
  if (own_allocations != 3 || own_releases != 3) return 1;
  delete escape(new int(1));
  ::operator delete(escape(::operator new(10, std::nothrow)), std::nothrow);
  if (own_allocations != 3 || own_releases != 3) return 2;
  const bursar::ResourceStatsSnapshot totals = token.stats().totals();
  return totals.allocated_objects == 5 && totals.live_bytes() == 0 ? 0 : 3;
}
