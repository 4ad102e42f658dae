#pragma once

#include <bursar/base/process_wide.h>
#include <bursar/base/zeroed_atomic.h>
#include <bursar/groups/group_index.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace bursar::alloc {

// The owners of blocks that have no room for a tag: two bytes for each 64 bytes of address space, of which only what is
// used becomes resident, 3 % of the blocks that it is used for. Two blocks of 64 bytes and more never begin in the
// same 64.
//
// Thread-safety: any thread and signal handlers, without locks; a block itself belongs to one thread at a time.
// Allocates: no. Blocks: no. Cost: two loads; inline, since over tight upstreams every block is looked for here.
class ShadowIndex {
 public:
  static constexpr std::size_t kGranuleBytes = 64;

  // False where memory for the index cannot be mapped: the block is not tracked then.
  [[nodiscard]] static bool put(const void* block, groups::GroupIndex owner) noexcept;
  // Takes the block out and answers its owner, or nothing where it is not in the index.
  [[nodiscard]] static std::optional<groups::GroupIndex> take(const void* block, std::size_t usable_bytes) noexcept;
  [[nodiscard]] static bool contains(const void* block, std::size_t usable_bytes) noexcept;

  // One leaf for each gigabyte of address space that holds such a block; user space has 47 bits.
  static constexpr unsigned kLeafShift = 30;
  static constexpr std::size_t kLeafEntries = (std::size_t{1} << kLeafShift) / kGranuleBytes;
  static constexpr std::size_t kLeaves = std::size_t{1} << (47 - kLeafShift);
  // The owner's number plus one; 0 where no block of the index begins. Numbers end well below the greatest.
  using Entry = ZeroedAtomic<std::uint16_t>;

 private:
  [[nodiscard]] static Entry* find(const void* block) noexcept;
  // What an entry says of a block that begins there: blocks that are too small for the index may share it.
  [[nodiscard]] static unsigned held(const Entry* entry, std::size_t usable_bytes) noexcept;
};

namespace internal {
extern "C" {
BURSAR_PROCESS_WIDE std::array<ZeroedAtomic<ShadowIndex::Entry*>, ShadowIndex::kLeaves> bursar_1_shadow_leaves{};
}
}  // namespace internal

inline ShadowIndex::Entry* ShadowIndex::find(const void* block) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(block);
  if (address >> kLeafShift >= kLeaves) [[unlikely]] {
    return nullptr;
  }
  // Acquire: whoever finds the leaf finds it mapped.
  Entry* leaf = internal::bursar_1_shadow_leaves[address >> kLeafShift].load(std::memory_order_acquire);
  return leaf == nullptr ? nullptr : &leaf[address / kGranuleBytes % kLeafEntries];
}

// Relaxed, here and in `put`: a block reaches another thread by an order of the program's own.
inline unsigned ShadowIndex::held(const Entry* entry, std::size_t usable_bytes) noexcept {
  const unsigned is_large_enough = usable_bytes >= kGranuleBytes ? ~0U : 0U;
  unsigned owner = entry->load(std::memory_order_relaxed) & is_large_enough;
  // Compilers would make two branches of it again, and where sizes are mixed the processor cannot foretell the first.
  asm("" : "+r"(owner));
  return owner;
}

inline std::optional<groups::GroupIndex> ShadowIndex::take(const void* block, std::size_t usable_bytes) noexcept {
  Entry* entry = find(block);
  if (entry == nullptr) return std::nullopt;
  const unsigned owner = held(entry, usable_bytes);
  if (owner == 0) [[likely]] {
    return std::nullopt;
  }
  entry->store(0, std::memory_order_relaxed);
  return static_cast<groups::GroupIndex>(owner - 1);
}

inline bool ShadowIndex::contains(const void* block, std::size_t usable_bytes) noexcept {
  const Entry* entry = find(block);
  return entry != nullptr && held(entry, usable_bytes) != 0;
}

}  // namespace bursar::alloc
