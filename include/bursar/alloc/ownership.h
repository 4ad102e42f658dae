#pragma once

#include <bursar/alloc/block_tag.h>
#include <bursar/alloc/shadow_index.h>
#include <bursar/groups/group_index.h>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace bursar::alloc {

enum class OwnerPlace : std::uint8_t { None, Tag, Index, Table };

// A block's owner, and where that was found.
struct Owned {
  OwnerPlace place = OwnerPlace::None;
  groups::GroupIndex owner = groups::kRootIndex;
};

// Where the owner of a block that is not large is kept: what is asked of the upstream for it, and how it is written,
// read and taken back.
template <typename T>
concept Ownership = requires(void* block, std::size_t bytes, groups::GroupIndex group) {
  { T::request_for(bytes) } noexcept -> std::same_as<std::size_t>;
  { T::put(block, bytes, bytes, group) } noexcept -> std::same_as<bool>;
  { T::take(block, bytes) } noexcept -> std::same_as<Owned>;
  { T::writable_bytes(block, bytes) } noexcept -> std::same_as<std::size_t>;
  { T::writable_bytes_for(bytes, bytes) } noexcept -> std::same_as<std::size_t>;
};

// In a tag, for which four bytes more are asked: for upstreams whose sizes come in small steps, as glibc's do.
struct AskedTag {
  static constexpr bool kAlwaysTagged = true;

  [[nodiscard]] static std::size_t request_for(std::size_t bytes) noexcept { return bytes + kTagBytes; }
  static bool put(void* block, std::size_t usable_bytes, std::size_t /*asked_bytes*/,
                  groups::GroupIndex owner) noexcept {
    write_tag(block, usable_bytes, owner);
    return true;
  }
  [[nodiscard]] static Owned take(void* block, std::size_t usable_bytes) noexcept {
    const BlockTag tag = read_tag(block, usable_bytes);
    return is_tag_of(block, tag) ? Owned{OwnerPlace::Tag, owner_in(tag)} : Owned{};
  }
  [[nodiscard]] static std::size_t writable_bytes(const void* /*block*/, std::size_t usable_bytes) noexcept {
    return usable_bytes - kTagBytes;
  }
  // Of a block that is not there yet.
  [[nodiscard]] static std::size_t writable_bytes_for(std::size_t /*asked_bytes*/, std::size_t usable_bytes) noexcept {
    return usable_bytes - kTagBytes;
  }
};

// In a tag where the upstream's size class leaves room for it anyway, else in the shadow index: for upstreams with
// tight size classes, where four bytes more would cost every block of an exact size a whole class. Small blocks always
// have a tag, since several of them share an entry of the index; what has no room for one is asked for large enough to
// have an entry of its own. Nor is there a tag far behind what the program asked for, as where a block was rounded up for
// its alignment: that may be a page which nobody else touches.
struct TagInSlack {
  static constexpr bool kAlwaysTagged = false;
  static constexpr std::size_t kMaxSlackBytes = 1024;

  [[nodiscard]] static std::size_t request_for(std::size_t bytes) noexcept {
    return bytes + kTagBytes <= ShadowIndex::kGranuleBytes ? bytes + kTagBytes
                                                           : std::max(bytes, ShadowIndex::kGranuleBytes);
  }
  static bool put(void* block, std::size_t usable_bytes, std::size_t asked_bytes, groups::GroupIndex owner) noexcept {
    if (!has_room_for_tag(usable_bytes, asked_bytes)) [[unlikely]] {
      return usable_bytes >= ShadowIndex::kGranuleBytes && ShadowIndex::put(block, owner);
    }
    // The block that was here before may have been released past the books, and its entry left behind.
    static_cast<void>(ShadowIndex::take(block, usable_bytes));
    write_tag(block, usable_bytes, owner);
    return true;
  }
  [[nodiscard]] static Owned take(void* block, std::size_t usable_bytes) noexcept {
    const std::optional<groups::GroupIndex> owner = ShadowIndex::take(block, usable_bytes);
    if (owner.has_value()) return {OwnerPlace::Index, *owner};
    return usable_bytes < kTagBytes ? Owned{} : AskedTag::take(block, usable_bytes);
  }
  [[nodiscard]] static std::size_t writable_bytes(const void* block, std::size_t usable_bytes) noexcept {
    const bool has_tag = usable_bytes >= kTagBytes && !ShadowIndex::contains(block, usable_bytes);
    return has_tag ? usable_bytes - kTagBytes : usable_bytes;
  }
  [[nodiscard]] static std::size_t writable_bytes_for(std::size_t asked_bytes, std::size_t usable_bytes) noexcept {
    return has_room_for_tag(usable_bytes, asked_bytes) ? usable_bytes - kTagBytes : usable_bytes;
  }

 private:
  // One comparison for both, too little and too much: less than a tag wraps round.
  [[nodiscard]] static bool has_room_for_tag(std::size_t usable_bytes, std::size_t asked_bytes) noexcept {
    return usable_bytes - asked_bytes - kTagBytes <= kMaxSlackBytes;
  }
};

static_assert(Ownership<AskedTag> && Ownership<TagInSlack>);

}  // namespace bursar::alloc
