#pragma once

#include <bursar/alloc/block_tag.h>
#include <bursar/alloc/bootstrap_arena.h>
#include <bursar/alloc/large_block_table.h>
#include <bursar/alloc/ownership.h>
#include <bursar/alloc/upstream.h>
#include <bursar/groups/group_presence.h>
#include <bursar/groups/resource_group_token.h>
#include <bursar/groups/thread_account.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
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
template <UpstreamAllocator Upstream, alloc::Ownership Owners = alloc::AskedTag>
class TrackingAllocator {
 public:
  constexpr TrackingAllocator() noexcept = default;
  constexpr explicit TrackingAllocator(Upstream upstream) noexcept : upstream_(upstream) {}

  // Null and ENOMEM where there is no memory, or `bytes` is more than half of the address space.
  [[nodiscard]] void* allocate(std::size_t bytes) noexcept {
    if (!fits(bytes)) [[unlikely]] {
      return out_of_memory();
    }
    return charged(upstream_.allocate(Owners::request_for(bytes)), bytes);
  }

  // `count * bytes` zeros. Pages that come fresh from the kernel are not touched.
  [[nodiscard]] void* allocate_zeroed(std::size_t count, std::size_t bytes) noexcept {
    std::size_t total = 0;
    if (__builtin_mul_overflow(count, bytes, &total) || !fits(total)) [[unlikely]] {
      return out_of_memory();
    }
    return charged(upstream_.allocate_zeroed(Owners::request_for(total)), total);
  }

  // REQUIRES: `alignment` is a power of two.
  [[nodiscard]] void* allocate_aligned(std::size_t alignment, std::size_t bytes) noexcept {
    if (!fits(bytes)) [[unlikely]] {
      return out_of_memory();
    }
    return charged(upstream_.allocate_aligned(alignment, Owners::request_for(bytes)), bytes);
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
    if (alloc::BootstrapArena::contains(block)) [[unlikely]] {
      return moved_out_of_bootstrap(block, bytes);
    }
    const std::size_t old_bytes = upstream_.usable_size(block);
    // The block leaves its table before it leaves its address, where another thread's may be next.
    const alloc::Owned owned = take_owner(block, old_bytes);
    void* moved = upstream_.reallocate(block, Owners::request_for(bytes));
    if (moved == nullptr) [[unlikely]] {
      put_back(block, old_bytes, owned.place, owned.owner);
      return nullptr;
    }
    credit(owned, old_bytes);
    return charged(moved, bytes);
  }

  void deallocate(void* block) noexcept {
    if (block == nullptr) [[unlikely]] {
      return;
    }
    const std::size_t bytes = upstream_.usable_size(block);
    groups::ThreadAccount* account = groups::internal::bursar_1_this_thread;
    if (bytes >= alloc::kLargeBlockBytes || account == nullptr) [[unlikely]] {
      return deallocate_uncommonly(block);
    }
    if constexpr (Owners::kAlwaysTagged) {
      const alloc::BlockTag tag = alloc::read_tag(block, bytes);
      if (!alloc::is_tag_of(block, tag)) [[unlikely]] {
        return deallocate_uncommonly(block);
      }
      account->charge_release(alloc::owner_in(tag), bytes);
    } else {
      credit(Owners::take(block, bytes), bytes);
    }
    upstream_.release(block);
  }

  // How many bytes of the block the program may write.
  [[nodiscard]] std::size_t usable_size(void* block) noexcept {
    if (block == nullptr) return 0;
    if (alloc::BootstrapArena::contains(block)) return alloc::BootstrapArena::size_of(block);
    const std::size_t bytes = upstream_.usable_size(block);
    return bytes >= alloc::kLargeBlockBytes ? bytes : Owners::writable_bytes(block, bytes);
  }

  // What `usable_size` will answer for a block of `bytes`, where `upstream_bytes_for(request)` says what the upstream's
  // answer will be; 0 where that is 0.
  template <typename UpstreamBytesFor>
  [[nodiscard]] static std::size_t usable_size_for(std::size_t bytes, UpstreamBytesFor upstream_bytes_for) noexcept {
    const std::size_t upstream_bytes = fits(bytes) ? upstream_bytes_for(Owners::request_for(bytes)) : 0;
    if (upstream_bytes == 0 || upstream_bytes >= alloc::kLargeBlockBytes) return upstream_bytes;
    return Owners::writable_bytes_for(bytes, upstream_bytes);
  }

  // For upstreams that resize a block where it is: `resize(request)` lets the upstream try. Answers what the program may
  // write now, which is less than `bytes` where the block could not grow. Where it became as large as is asked for, it
  // belongs to the group that the thread is in.
  template <typename Resize>
  [[nodiscard]] std::size_t resize_in_place(void* block, std::size_t bytes, Resize resize) noexcept {
    if (alloc::BootstrapArena::contains(block) || !fits(bytes)) return usable_size(block);
    const std::size_t old_bytes = upstream_.usable_size(block);
    const alloc::Owned owned = take_owner(block, old_bytes);
    resize(Owners::request_for(bytes));
    if (upstream_.usable_size(block) < Owners::request_for(bytes)) {
      put_back(block, old_bytes, owned.place, owned.owner);
    } else {
      credit(owned, old_bytes);
      static_cast<void>(charged(block, bytes));
    }
    return usable_size(block);
  }

  // The block belongs to the token's group from now on. False where it is not one of ours.
  // REQUIRES: no other thread releases or reallocates the block meanwhile.
  bool transfer(void* block, ResourceGroupToken token) noexcept {
    if (block == nullptr || alloc::BootstrapArena::contains(block)) return false;
    const std::size_t bytes = upstream_.usable_size(block);
    const alloc::Owned owned = take_owner(block, bytes);
    if (owned.place == alloc::OwnerPlace::None) return false;
    const groups::GroupPresence heir(token);
    // Released before it is charged anew: a reader in between sees the block once at the most.
    groups::charge_release(owned.owner, bytes);
    groups::charge_allocation_to(heir.group(), bytes);
    put_back(block, bytes, owned.place, heir.group());
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
  void* charged(void* block, std::size_t asked_bytes) noexcept {
    if (block == nullptr) [[unlikely]] {
      return nullptr;
    }
    const std::size_t bytes = upstream_.usable_size(block);
    groups::ThreadAccount* account = groups::internal::bursar_1_this_thread;
    if (bytes >= alloc::kLargeBlockBytes || account == nullptr) [[unlikely]] {
      return charged_uncommonly(block, bytes, asked_bytes);
    }
    const groups::GroupIndex group = account->allocating();
    if (!Owners::put(block, bytes, asked_bytes, group)) [[unlikely]] {
      return block;  // what could not be credited later is not charged
    }
    if (account->add_allocation(group, bytes)) [[unlikely]] {
      return account->glance_at_growth(group, block);
    }
    return block;
  }

  [[gnu::cold, gnu::noinline]] static void* charged_uncommonly(void* block, std::size_t bytes,
                                                               std::size_t asked_bytes) noexcept {
    const groups::GroupIndex owner = groups::charge_allocation(bytes);
    const bool is_put = bytes >= alloc::kLargeBlockBytes ? alloc::large_block_table().insert(block, owner)
                                                         : Owners::put(block, bytes, asked_bytes, owner);
    if (!is_put) groups::charge_release(owner, bytes);
    return block;
  }

  [[gnu::cold, gnu::noinline]] void deallocate_uncommonly(void* block) noexcept {
    if (block == nullptr || alloc::BootstrapArena::contains(block)) return;
    const std::size_t bytes = upstream_.usable_size(block);
    credit(take_owner(block, bytes), bytes);
    upstream_.release(block);
  }

  [[gnu::cold, gnu::noinline]] void* moved_out_of_bootstrap(const void* block, std::size_t bytes) noexcept {
    void* moved = allocate(bytes);
    if (moved == nullptr) return nullptr;
    std::memcpy(moved, block, std::min(bytes, alloc::BootstrapArena::size_of(block)));
    return moved;
  }

  [[nodiscard]] static alloc::Owned take_owner(void* block, std::size_t bytes) noexcept {
    if (bytes < alloc::kLargeBlockBytes) [[likely]] {
      return Owners::take(block, bytes);
    }
    const std::optional<groups::GroupIndex> owner = alloc::large_block_table().erase(block);
    return owner.has_value() ? alloc::Owned{alloc::OwnerPlace::Table, *owner} : alloc::Owned{};
  }

  // Undoes `take_owner`, for the same owner or for another. A place that was just left can be had again.
  static void put_back(void* block, std::size_t bytes, alloc::OwnerPlace place, groups::GroupIndex owner) noexcept {
    switch (place) {
      case alloc::OwnerPlace::None:
        return;
      case alloc::OwnerPlace::Tag:
        return alloc::write_tag(block, bytes, owner);
      case alloc::OwnerPlace::Index:
        if (alloc::ShadowIndex::put(block, owner)) return;
        break;
      case alloc::OwnerPlace::Table:
        if (alloc::large_block_table().insert(block, owner)) return;
        break;
    }
    groups::charge_release(owner, bytes);
  }

  static void credit(alloc::Owned owned, std::size_t bytes) noexcept {
    if (owned.place != alloc::OwnerPlace::None) [[likely]] {
      groups::charge_release(owned.owner, bytes);
    } else if (bytes != 0 && (bytes < alloc::kLargeBlockBytes || !alloc::large_block_table().forget_refused())) {
      // gperftools says 0 of the blocks that it allocates before it is set up: those were not charged.
      groups::count_foreign_block();
    }
  }

  [[no_unique_address]] Upstream upstream_;
};

}  // namespace bursar
