// Says whether this process's allocations are tracked, and whether malloc does its work in either case. The same source
// with bursar::interpose and without.

#include <malloc.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include <bursar/alloc/transfer.h>
#include <bursar/groups/resource_group_registry.h>

#include "unit/interpose/escape.h"

using bursar::testing::escape;

int main() {
  const bool is_installed = bursar::ResourceGroupRegistry::allocator_installed();
  const bursar::ResourceGroupToken token = bursar::ResourceGroupRegistry::global().register_resource_group("probe");
  std::uint64_t counted = 0;
  bool works = true;
  {
    const bursar::ResourceTrackingGuard guard = token.enter();
    void* block = escape(std::malloc(100));
    works = works && malloc_usable_size(block) >= 100;
    std::memset(block, 1, malloc_usable_size(block));
    block = escape(std::realloc(block, 500'000));
    works = works && bursar::transfer(block, bursar::ResourceGroupToken::root()) == is_installed;
    std::free(block);
    auto* zeros = static_cast<char*>(escape(std::calloc(100, 10)));
    works = works && zeros[999] == 0 && std::calloc(~std::size_t{0} / 2, 3) == nullptr;
    std::free(zeros);
    void* aligned = nullptr;
    works = works && posix_memalign(&aligned, 4'096, 10) == 0 && reinterpret_cast<std::uintptr_t>(aligned) % 4'096 == 0;
    std::free(aligned);
    std::thread([] { delete escape(new std::string(1'000, 'x')); }).join();
    delete[] escape(new int[100]);
    counted = token.stats().totals().allocated_objects;
  }
  std::printf("%s, %s, malloc %s\n", is_installed ? "installed" : "not installed",
              counted > 0 ? "counts" : "does not count", works ? "works" : "does not work");
}
