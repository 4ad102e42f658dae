#include <bursar/alloc/large_block_table.h>
#include <bursar/base/process_wide.h>

namespace bursar::alloc {

extern "C" {
BURSAR_PROCESS_WIDE LargeBlockTable bursar_1_large_block_table{};
}

namespace {

constexpr std::uint64_t kEmpty = 0;
constexpr std::uint64_t kErased = 1;  // a search goes on behind it
constexpr unsigned kOwnerBits = 16;

// An address of 47 bits that is a multiple of 16, and 16 bits of owner: fits, with room.
std::uint64_t key_of(const void* block) noexcept {
  return (reinterpret_cast<std::uintptr_t>(block) >> 4) << kOwnerBits;
}

bool holds(std::uint64_t word, std::uint64_t key) noexcept {
  return word >> kOwnerBits == key >> kOwnerBits;
}

}  // namespace

LargeBlockTable& large_block_table() noexcept {
  return bursar_1_large_block_table;
}

bool LargeBlockTable::insert(const void* block, groups::GroupIndex owner) noexcept {
  const std::size_t home = reinterpret_cast<std::uintptr_t>(block) >> kAddressShift;
  for (std::size_t probe = 0; probe < kMaxProbes; ++probe) {
    ZeroedAtomic<std::uint64_t>& place = places_[(home + probe) % kPlaces];
    std::uint64_t word = place.load(std::memory_order_relaxed);
    // Release and acquire only between the block's own users, who pass it on with an order of their own: relaxed will
    // do.
    while (word == kEmpty || word == kErased) {
      if (place.compare_exchange_weak(word, key_of(block) | owner, std::memory_order_relaxed)) return true;
    }
  }
  // Relaxed, as the places: the block's release comes after by the program's own order.
  refused_.fetch_add(1, std::memory_order_relaxed);
  return false;
}

bool LargeBlockTable::forget_refused() noexcept {
  std::uint64_t refused = refused_.load(std::memory_order_relaxed);
  while (refused != 0) {
    if (refused_.compare_exchange_weak(refused, refused - 1, std::memory_order_relaxed)) return true;
  }
  return false;
}

ZeroedAtomic<std::uint64_t>* LargeBlockTable::find(const void* block) const noexcept {
  const std::size_t home = reinterpret_cast<std::uintptr_t>(block) >> kAddressShift;
  for (std::size_t probe = 0; probe < kMaxProbes; ++probe) {
    ZeroedAtomic<std::uint64_t>& place = places_[(home + probe) % kPlaces];
    const std::uint64_t word = place.load(std::memory_order_relaxed);
    if (word == kEmpty) return nullptr;
    if (holds(word, key_of(block))) return &place;
  }
  return nullptr;
}

std::optional<groups::GroupIndex> LargeBlockTable::erase(const void* block) noexcept {
  ZeroedAtomic<std::uint64_t>* place = find(block);
  if (place == nullptr) return std::nullopt;
  const std::uint64_t word = place->exchange(kErased, std::memory_order_relaxed);
  return static_cast<groups::GroupIndex>(word);
}

}  // namespace bursar::alloc
