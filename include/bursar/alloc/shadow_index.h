#pragma once

#include <bursar/groups/group_index.h>

#include <cstddef>
#include <optional>

namespace bursar::alloc {

// The owners of blocks that have no room for a tag: two bytes for each 64 bytes of address space, of which only what is
// used becomes resident, 3 % of the blocks that it is used for. Two blocks of 64 bytes and more never begin in the
// same 64.
//
// Thread-safety: any thread and signal handlers, without locks; a block itself belongs to one thread at a time.
// Allocates: no. Blocks: no.
class ShadowIndex {
 public:
  static constexpr std::size_t kGranuleBytes = 64;

  // False where memory for the index cannot be mapped: the block is not tracked then.
  [[nodiscard]] static bool put(const void* block, groups::GroupIndex owner) noexcept;
  // Takes the block out and answers its owner, or nothing where it is not in the index.
  [[nodiscard]] static std::optional<groups::GroupIndex> take(const void* block) noexcept;
  [[nodiscard]] static bool contains(const void* block) noexcept;
};

}  // namespace bursar::alloc
