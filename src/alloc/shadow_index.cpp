#include <bursar/alloc/shadow_index.h>

#include <sys/mman.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace bursar::alloc {

using internal::bursar_1_shadow_leaves;

namespace {

ShadowIndex::Entry* map_leaf(std::size_t index) noexcept {
  using Entry = ShadowIndex::Entry;
  constexpr std::size_t kLeafBytes = ShadowIndex::kLeafEntries * sizeof(Entry);
  const int saved_errno = errno;
  void* memory = mmap(nullptr, kLeafBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    errno = saved_errno;
    return nullptr;
  }
  madvise(memory, kLeafBytes, MADV_NOHUGEPAGE);
  errno = saved_errno;
  // Acquire and release: whoever finds the leaf finds it mapped.
  Entry* leaf = bursar_1_shadow_leaves[index].load(std::memory_order_acquire);
  while (leaf == nullptr) {
    if (bursar_1_shadow_leaves[index].compare_exchange_weak(leaf, static_cast<Entry*>(memory),
                                                            std::memory_order_acq_rel)) {
      return static_cast<Entry*>(memory);
    }
  }
  munmap(memory, kLeafBytes);
  return leaf;
}

}  // namespace

bool ShadowIndex::put(const void* block, groups::GroupIndex owner) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(block);
  if (address >> kLeafShift >= kLeaves) return false;
  Entry* entry = find(block);
  if (entry == nullptr) {
    Entry* leaf = map_leaf(address >> kLeafShift);
    if (leaf == nullptr) return false;
    entry = &leaf[address / kGranuleBytes % kLeafEntries];
  }
  entry->store(static_cast<std::uint16_t>(owner + 1), std::memory_order_relaxed);
  return true;
}

}  // namespace bursar::alloc
