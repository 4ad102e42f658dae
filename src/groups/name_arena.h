#pragma once

#include <cstddef>
#include <string_view>

namespace bursar::groups {

// Keeps the names of groups in memory mapped from the kernel. What is given back is used again for names of like
// length.
//
// Thread-safety: none of its own; the group table's lock guards it. Allocates: no. Blocks: no.
class NameArena {
 public:
  // A copy of `name`, or an empty view where memory cannot be mapped. REQUIRES: 1 <= name.size() <= kLargestBytes.
  [[nodiscard]] std::string_view keep(std::string_view name) noexcept;
  void give_back(std::string_view kept) noexcept;

  static constexpr std::size_t kLargestBytes = 1024;

 private:
  // Sizes are powers of two from 16 to 1024 bytes; a free slot begins with a pointer to the next.
  static constexpr std::size_t kSmallestBytes = 16;
  static constexpr std::size_t kSizes = 7;
  static constexpr std::size_t kChunkBytes = std::size_t{64} << 10;

  struct FreeSlot {
    FreeSlot* next;
  };
  [[nodiscard]] static std::size_t size_class(std::size_t bytes) noexcept;

  FreeSlot* free_[kSizes] = {};
  char* chunk_ = nullptr;
  std::size_t chunk_left_bytes_ = 0;
};

}  // namespace bursar::groups
