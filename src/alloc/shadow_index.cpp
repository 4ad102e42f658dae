#include <bursar/alloc/shadow_index.h>
#include <bursar/base/process_wide.h>
#include <bursar/base/zeroed_atomic.h>

#include <sys/mman.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>

namespace bursar::alloc {
namespace {

// One leaf for each gigabyte of address space that holds such a block.
constexpr unsigned kLeafShift = 30;
constexpr std::size_t kLeafEntries = (std::size_t{1} << kLeafShift) / ShadowIndex::kGranuleBytes;
constexpr std::size_t kLeaves = std::size_t{1} << (47 - kLeafShift);  // user space of 47 bits

// The owner's number plus one; 0 where no block of the index begins. Numbers end well below the greatest.
using Entry = ZeroedAtomic<std::uint16_t>;
}  // namespace

extern "C" {
BURSAR_PROCESS_WIDE std::array<ZeroedAtomic<Entry*>, kLeaves> bursar_1_shadow_leaves{};
}

namespace {

Entry* entry_of(Entry* leaf, std::uintptr_t address) noexcept {
  return &leaf[address / ShadowIndex::kGranuleBytes % kLeafEntries];
}

Entry* find(const void* block) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(block);
  if (address >> kLeafShift >= kLeaves) return nullptr;
  Entry* leaf = bursar_1_shadow_leaves[address >> kLeafShift].load(std::memory_order_acquire);
  return leaf == nullptr ? nullptr : entry_of(leaf, address);
}

Entry* map_leaf(std::size_t index) noexcept {
  constexpr std::size_t kLeafBytes = kLeafEntries * sizeof(Entry);
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
  Entry* leaf = bursar_1_shadow_leaves[address >> kLeafShift].load(std::memory_order_acquire);
  if (leaf == nullptr) leaf = map_leaf(address >> kLeafShift);
  if (leaf == nullptr) return false;
  // Relaxed: a block reaches another thread by an order of the program's own.
  entry_of(leaf, address)->store(static_cast<std::uint16_t>(owner + 1), std::memory_order_relaxed);
  return true;
}

std::optional<groups::GroupIndex> ShadowIndex::take(const void* block) noexcept {
  Entry* entry = find(block);
  if (entry == nullptr) return std::nullopt;
  const std::uint16_t held = entry->load(std::memory_order_relaxed);
  if (held == 0) return std::nullopt;
  entry->store(0, std::memory_order_relaxed);
  return static_cast<groups::GroupIndex>(held - 1);
}

bool ShadowIndex::contains(const void* block) noexcept {
  const Entry* entry = find(block);
  return entry != nullptr && entry->load(std::memory_order_relaxed) != 0;
}

}  // namespace bursar::alloc
