// Preloaded behind the preload library: where BURSAR_BOOKS names a folder, each process that ends leaves its books there.

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include <bursar/groups/resource_group_registry.h>

namespace {

// Read at the start: some programs clear their environment.
char folder[256];
[[gnu::constructor]] void remember_folder() {
  const char* named = std::getenv("BURSAR_BOOKS");
  if (named != nullptr) std::snprintf(folder, sizeof(folder), "%s", named);
}

[[gnu::destructor]] void leave_books() {
  if (folder[0] == '\0') return;
  const bursar::ResourceGroupRegistry& registry = bursar::ResourceGroupRegistry::global();
  const bursar::ResourceStatsSnapshot totals = registry.totals();
  char path[512];
  std::snprintf(path, sizeof(path), "%s/%d", folder, static_cast<int>(getpid()));
  const int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_TRUNC, 0600);
  if (file < 0) return;
  dprintf(file, "%d %llu %llu %llu %llu %llu\n", bursar::ResourceGroupRegistry::allocator_installed() ? 1 : 0,
          static_cast<unsigned long long>(totals.allocated_bytes),
          static_cast<unsigned long long>(totals.deallocated_bytes),
          static_cast<unsigned long long>(totals.allocated_objects),
          static_cast<unsigned long long>(totals.deallocated_objects),
          static_cast<unsigned long long>(registry.foreign_blocks()));
  close(file);
}

}  // namespace
