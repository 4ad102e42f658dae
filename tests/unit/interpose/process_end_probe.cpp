// Allocates and releases in everything that runs after `main`, and ends with 0 where each time was counted.

#include <cstddef>
#include <cstdlib>
#include <new>
#include <string>

#include <unistd.h>

#include <bursar/groups/resource_group_registry.h>

#include "unit/interpose/escape.h"

namespace {

using bursar::testing::escape;

constinit bursar::ResourceGroupToken token;
constinit unsigned expected = 0;

void allocate_and_check(int exit_code) {
  void* block = nullptr;
  {
    const bursar::ResourceTrackingGuard guard = token.enter();
    block = escape(std::malloc(100));
    delete escape(new std::string(500, 'x'));
  }
  std::free(block);
  expected += 3;
  const bursar::ResourceStatsSnapshot totals = token.stats().totals();
  if (totals.allocated_objects != expected || totals.live_bytes() != 0) _exit(exit_code);
}

struct Static {
  ~Static() { allocate_and_check(10); }
} a_static;
thread_local struct ThreadLocal {
  bool used = false;
  ~ThreadLocal() { allocate_and_check(11); }
} a_thread_local;

[[gnu::destructor(101)]] void last_of_all() {
  allocate_and_check(12);
}

}  // namespace

int main() {
  token = bursar::ResourceGroupRegistry::global().register_resource_group("late");
  a_thread_local.used = true;
  std::atexit([] { allocate_and_check(13); });
  allocate_and_check(14);
  if (!bursar::ResourceGroupRegistry::allocator_installed()) _exit(15);
}
