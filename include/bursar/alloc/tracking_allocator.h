#pragma once

#include <bursar/alloc/block_tag.h>
#include <bursar/alloc/large_block_table.h>
#include <bursar/alloc/upstream.h>
#include <bursar/groups/group_presence.h>
#include <bursar/groups/resource_group_token.h>
#include <bursar/groups/thread_account.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

namespace bursar {

// Charges every block to the group that the allocating thread is in, and credits that group when the block is released,
// by whichever thread and in whichever group. The interposed malloc calls it; a program may use it directly.
//
// Bytes are the upstream's usable bytes, the tag included.
//
// Thread-safety: as the upstream. Allocates: that is what it does. Blocks: as the upstream.
// Cost: four bytes a block, which is 4 on average over glibc's 16-byte steps, and a few instructions a call.
template <UpstreamAllocator Upstream>
class TrackingAllocator {
 public:
  constexpr TrackingAllocator() noexcept = default;
  constexpr explicit TrackingAllocator(Upstream upstream) noexcept : upstream_(upstream) {}

  // Null and ENOMEM where there is no memory, or `bytes` is more than half of the address space.
  [[nodiscard]] void* allocate(std::size_t bytes) noexcept {
    if (!fits(bytes)) [[unlikely]] {
      return out_of_memory();
    }
    return charged(upstream_.allocate(bytes + alloc::kTagBytes));
  }

  // `count * bytes` zeros. Pages that come fresh from the kernel are not touched.
  [[nodiscard]] void* allocate_zeroed(std::size_t count, std::size_t bytes) noexcept {
    std::size_t total = 0;
    if (__builtin_mul_overflow(count, bytes, &total) || !fits(total)) [[unlikely]] {
      return out_of_memory();
    }
    return charged(upstream_.allocate_zeroed(total + alloc::kTagBytes));
  }

  // REQUIRES: `alignment` is a power of two.
  [[nodiscard]] void* allocate_aligned(std::size_t alignment, std::size_t bytes) noexcept {
    if (!fits(bytes)) [[unlikely]] {
      return out_of_memory();
    }
    return charged(upstream_.allocate_aligned(alignment, bytes + alloc::kTagBytes));
  }

  // As realloc over glibc: a null block is allocated, zero bytes release it and answer null. The block then belongs to
  // the group that the thread is in. Where it fails, nothing changes.
  [[nodiscard]] void* reallocate(void* block, std::size_t bytes) noexcept {
    if (block == nullptr) return allocate(bytes);
    if (bytes == 0) {
      deallocate(block);
      return nullptr;
    }
    if (!fits(bytes)) [[unlikely]] {
      return out_of_memory();
    }
    const std::size_t old_bytes = upstream_.usable_size(block);
    // A large block leaves the table before it leaves its address, where another thread's may be next.
    const std::optional<groups::GroupIndex> owner = take_owner(block, old_bytes);
    void* moved = upstream_.reallocate(block, bytes + alloc::kTagBytes);
    if (moved == nullptr) [[unlikely]] {
      if (owner.has_value()) restore_owner(block, old_bytes, *owner);
      return nullptr;
    }
    credit(owner, old_bytes);
    return charged(moved);
  }

  void deallocate(void* block) noexcept {
    if (block == nullptr) [[unlikely]] {
      return;
    }
    const std::size_t bytes = upstream_.usable_size(block);
    groups::ThreadAccount* account = groups::internal::this_thread;
    if (bytes >= alloc::kLargeBlockBytes || account == nullptr) [[unlikely]] {
      return deallocate_uncommonly(block);
    }
    const alloc::BlockTag tag = alloc::read_tag(block, bytes);
    if (!alloc::is_tag_of(block, tag)) [[unlikely]] {
      return deallocate_uncommonly(block);
    }
    account->charge_release(alloc::owner_in(tag), bytes);
    upstream_.release(block);
  }

  // How many bytes of the block the program may write.
  [[nodiscard]] std::size_t usable_size(void* block) noexcept {
    if (block == nullptr) return 0;
    const std::size_t bytes = upstream_.usable_size(block);
    return bytes >= alloc::kLargeBlockBytes ? bytes : bytes - alloc::kTagBytes;
  }

  // The block belongs to the token's group from now on. False where it is not one of ours.
  // REQUIRES: no other thread releases or reallocates the block meanwhile.
  bool transfer(void* block, ResourceGroupToken token) noexcept {
    if (block == nullptr) return false;
    const std::size_t bytes = upstream_.usable_size(block);
    const std::optional<groups::GroupIndex> owner = take_owner(block, bytes);
    if (!owner.has_value()) return false;
    const groups::GroupPresence heir(token);
    restore_owner(block, bytes, heir.group());
    groups::charge_release(*owner, bytes);
    groups::charge_allocation_to(heir.group(), bytes);
    return true;
  }

 private:
  // What pointers into one block can still measure.
  static constexpr std::size_t kMaxBytes = std::numeric_limits<std::ptrdiff_t>::max() - alloc::kTagBytes;

  [[nodiscard]] static bool fits(std::size_t bytes) noexcept { return bytes <= kMaxBytes; }
  [[nodiscard]] static void* out_of_memory() noexcept {
    errno = ENOMEM;
    return nullptr;
  }

  // What is not common stands in functions of its own that are called last, so that the common path saves no registers.
  void* charged(void* block) noexcept {
    if (block == nullptr) [[unlikely]] {
      return nullptr;
    }
    const std::size_t bytes = upstream_.usable_size(block);
    groups::ThreadAccount* account = groups::internal::this_thread;
    if (bytes >= alloc::kLargeBlockBytes || account == nullptr) [[unlikely]] {
      return charged_uncommonly(block, bytes);
    }
    const groups::GroupIndex group = account->allocating();
    alloc::write_tag(block, bytes, group);
    if (account->add_allocation(group, bytes)) [[unlikely]] {
      return account->look_at_peak(group, block);
    }
    return block;
  }

  [[gnu::cold, gnu::noinline]] static void* charged_uncommonly(void* block, std::size_t bytes) noexcept {
    const groups::GroupIndex owner = groups::charge_allocation(bytes);
    if (bytes < alloc::kLargeBlockBytes) {
      alloc::write_tag(block, bytes, owner);
    } else if (!alloc::large_block_table().insert(block, owner)) {
      // What the table has no room for could not be credited later.
      groups::charge_release(owner, bytes);
    }
    return block;
  }

  [[gnu::cold, gnu::noinline]] void deallocate_uncommonly(void* block) noexcept {
    if (block == nullptr) return;
    const std::size_t bytes = upstream_.usable_size(block);
    credit(take_owner(block, bytes), bytes);
    upstream_.release(block);
  }

  [[nodiscard]] static std::optional<groups::GroupIndex> take_owner(void* block, std::size_t bytes) noexcept {
    if (bytes >= alloc::kLargeBlockBytes) [[unlikely]] {
      return alloc::large_block_table().erase(block);
    }
    const alloc::BlockTag tag = alloc::read_tag(block, bytes);
    return alloc::is_tag_of(block, tag) ? std::optional(alloc::owner_in(tag)) : std::nullopt;
  }

  // REQUIRES: the owner was just taken; a place that was just left is there to be taken again.
  static void restore_owner(void* block, std::size_t bytes, groups::GroupIndex owner) noexcept {
    if (bytes >= alloc::kLargeBlockBytes) [[unlikely]] {
      if (!alloc::large_block_table().insert(block, owner)) groups::charge_release(owner, bytes);
    } else {
      alloc::write_tag(block, bytes, owner);
    }
  }

  static void credit(std::optional<groups::GroupIndex> owner, std::size_t bytes) noexcept {
    if (owner.has_value()) [[likely]] {
      groups::charge_release(*owner, bytes);
    } else {
      groups::count_foreign_block();
    }
  }

  [[no_unique_address]] Upstream upstream_;
};

}  // namespace bursar
