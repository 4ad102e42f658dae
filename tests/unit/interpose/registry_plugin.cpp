// A library that contains Bursar, as a plug-in does that is linked with the static archive.

#include "unit/interpose/registry_plugin.h"

#include <cstdlib>
#include <new>

#include <bursar/groups/resource_group_registry.h>
#include <bursar/groups/thread_account.h>

namespace {

bursar::ResourceGroupToken group(const char* name) {
  return bursar::ResourceGroupRegistry::global().register_resource_group(name);
}

}  // namespace

std::uint32_t plugin_group_number(const char* name) {
  return group(name).index();
}

std::uint32_t plugin_current_group_number() {
  return bursar::ResourceGroupToken::current().index();
}

void plugin_charge(const char* name, std::uint64_t bytes) {
  const bursar::ResourceTrackingGuard guard = group(name).enter();
  bursar::groups::charge_allocation(bytes);
}

void plugin_credit(const char* name, std::uint64_t bytes) {
  bursar::groups::charge_release(group(name).index(), bytes);
}

std::uint64_t plugin_live_bytes(const char* name) {
  return group(name).stats().totals().live_bytes();
}

void* plugin_allocate_in(const char* name, std::size_t bytes) {
  const bursar::ResourceTrackingGuard guard = group(name).enter();
  return std::malloc(bytes);
}

int plugin_is_tracked() {
  return bursar::ResourceGroupRegistry::allocator_installed() ? 1 : 0;
}

void* plugin_enter(const char* name) {
  return ::new (std::malloc(sizeof(bursar::ResourceTrackingGuard))) bursar::ResourceTrackingGuard(group(name).enter());
}

void plugin_leave(void* guard) {
  static_cast<bursar::ResourceTrackingGuard*>(guard)->~ResourceTrackingGuard();
  std::free(guard);
}
