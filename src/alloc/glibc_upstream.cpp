#include "alloc/glibc_upstream.h"

#include <dlfcn.h>

#include <atomic>

namespace bursar::alloc {
namespace {

using SizeFunction = std::size_t (*)(void*);
constinit std::atomic<SizeFunction> size_function{nullptr};

// While it is being looked up, the lookup itself may allocate; the header is as good a guess as there is then.
SizeFunction find_size_function() noexcept {
  SizeFunction found = size_function.load(std::memory_order_relaxed);
  if (found != nullptr) return found;
  size_function.store(&GlibcByHeader::usable_size, std::memory_order_relaxed);
  void* symbol = dlsym(RTLD_NEXT, "malloc_usable_size");
  if (symbol == nullptr) return &GlibcByHeader::usable_size;
  found = reinterpret_cast<SizeFunction>(symbol);
  size_function.store(found, std::memory_order_relaxed);
  return found;
}

bool header_agrees(void* block) noexcept {
  if (block == nullptr) return true;
  const bool agrees = GlibcByHeader::usable_size(block) == GlibcByCall::usable_size(block);
  GlibcBlocks::release(block);
  return agrees;
}

}  // namespace

std::size_t GlibcByCall::usable_size(void* block) noexcept {
  return find_size_function()(block);
}

bool glibc_header_is_as_expected() noexcept {
  constexpr std::size_t kSizes[] = {0, 1, 24, 25, 100, 1000, 5000, 100'000, std::size_t{1} << 20};
  for (const std::size_t bytes : kSizes) {
    if (!header_agrees(GlibcBlocks::allocate(bytes))) return false;
  }
  return header_agrees(GlibcBlocks::allocate_aligned(4096, 100)) &&
         header_agrees(GlibcBlocks::allocate_aligned(4096, std::size_t{1} << 20));
}

}  // namespace bursar::alloc
