#pragma once

#include <bursar/groups/group_index.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>

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

[[nodiscard]] inline BlockTag make_tag(const void* block, groups::GroupIndex group) noexcept {
  // Blocks are 16 bytes apart at least. The constant keeps zeros from being a valid tag of low addresses.
  constexpr std::uintptr_t kPattern = 0xb5c3;
  const auto address = reinterpret_cast<std::uintptr_t>(block);
  const auto check = static_cast<std::uint16_t>((address >> 4) ^ (address >> 20) ^ kPattern);
  return (BlockTag{check} << 16) | group;
}

inline void write_tag(void* block, std::size_t usable_bytes, groups::GroupIndex group) noexcept {
  const BlockTag tag = make_tag(block, group);
  std::memcpy(static_cast<std::byte*>(block) + usable_bytes - kTagBytes, &tag, kTagBytes);
}

// The block's owner, or nothing where the tag is not one of ours.
[[nodiscard]] inline std::optional<groups::GroupIndex> read_tag(const void* block, std::size_t usable_bytes) noexcept {
  BlockTag tag = 0;
  std::memcpy(&tag, static_cast<const std::byte*>(block) + usable_bytes - kTagBytes, kTagBytes);
  const auto group = static_cast<groups::GroupIndex>(tag);
  if (tag != make_tag(block, group)) [[unlikely]] {
    return std::nullopt;
  }
  return group;
}

}  // namespace bursar::alloc
