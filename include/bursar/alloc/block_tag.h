#pragma once

#include <bursar/groups/group_index.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace bursar::alloc {

// A block's owner is written into its last four usable bytes: the group's number, and a check made of the block's
// address. Without the check a block that the program overran, or that came from elsewhere, would be credited to
// whichever group its last bytes happen to spell; with it that is found out but for one case in 65,536.
//
// Thread-safety: as the block. Allocates: no. Blocks: no.
using BlockTag = std::uint32_t;
inline constexpr std::size_t kTagBytes = sizeof(BlockTag);

// Blocks with this many usable bytes have no tag: their last bytes may lie on a page that nobody else ever touches.
// Their owners stand in the LargeBlockTable.
inline constexpr std::size_t kLargeBlockBytes = std::size_t{128} << 10;

[[nodiscard]] inline std::uint16_t tag_check(const void* block) noexcept {
  // Blocks are 16 bytes apart at least. The pattern keeps zeros from being a valid tag of low addresses.
  constexpr std::uintptr_t kPattern = 0xb5c3;
  const auto address = reinterpret_cast<std::uintptr_t>(block);
  return static_cast<std::uint16_t>((address >> 4) ^ (address >> 20) ^ kPattern);
}

inline void write_tag(void* block, std::size_t usable_bytes, groups::GroupIndex group) noexcept {
  const BlockTag tag = (BlockTag{tag_check(block)} << 16) | group;
  std::memcpy(static_cast<std::byte*>(block) + usable_bytes - kTagBytes, &tag, kTagBytes);
}

[[nodiscard]] inline BlockTag read_tag(const void* block, std::size_t usable_bytes) noexcept {
  BlockTag tag = 0;
  std::memcpy(&tag, static_cast<const std::byte*>(block) + usable_bytes - kTagBytes, kTagBytes);
  return tag;
}

// Whether the tag is one that `write_tag` wrote into this block.
[[nodiscard]] inline bool is_tag_of(const void* block, BlockTag tag) noexcept {
  return (tag >> 16) == tag_check(block);
}

// A damaged tag leads to a wrong group, but to one that can be counted for.
[[nodiscard]] inline groups::GroupIndex owner_in(BlockTag tag) noexcept {
  return static_cast<groups::GroupIndex>(tag);
}

}  // namespace bursar::alloc
