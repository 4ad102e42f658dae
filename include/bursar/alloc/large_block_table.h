#pragma once

#include <bursar/base/zeroed_atomic.h>
#include <bursar/groups/group_index.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace bursar::alloc {

// Who owns which large block. A table of words, each a block's address and its owner's number; a block's place follows
// from its address, so that neighbours share pages and only what is used becomes resident.
//
// Thread-safety: any thread and signal handlers, without locks; a block itself belongs to one thread at a time.
// Allocates: no. Blocks: no.
class LargeBlockTable {
 public:
  // False where the block's neighbourhood in the table is full: the block is not tracked then, and `refused` counts it.
  [[nodiscard]] bool insert(const void* block, groups::GroupIndex owner) noexcept;
  // Takes the block out and answers its owner, or nothing where it is not in the table.
  [[nodiscard]] std::optional<groups::GroupIndex> erase(const void* block) noexcept;
  [[nodiscard]] bool contains(const void* block) const noexcept { return find(block) != nullptr; }

  // How many refused blocks there are that were not taken for released yet. A large block that is in no table is one of
  // them as long as there are any: then `forget_refused` answers true, and it is nobody else's.
  [[nodiscard]] std::uint64_t refused() const noexcept { return refused_.load(std::memory_order_relaxed); }
  [[nodiscard]] bool forget_refused() noexcept;

 private:
  // Large blocks start 128 KiB apart at least, so up to 128 GiB of them each have a place of their own.
  static constexpr std::size_t kPlaces = std::size_t{1} << 20;
  static constexpr unsigned kAddressShift = 17;
  static constexpr std::size_t kMaxProbes = 128;

  [[nodiscard]] ZeroedAtomic<std::uint64_t>* find(const void* block) const noexcept;

  mutable std::array<ZeroedAtomic<std::uint64_t>, kPlaces> places_{};
  ZeroedAtomic<std::uint64_t> refused_{};
};

// The one of the process.
[[nodiscard]] LargeBlockTable& large_block_table() noexcept;

}  // namespace bursar::alloc
