#include "groups/name_arena.h"

#include <sys/mman.h>

#include <cstring>
#include <new>

namespace bursar::groups {

std::size_t NameArena::size_class(std::size_t bytes) noexcept {
  std::size_t size = 0;
  while ((kSmallestBytes << size) < bytes) ++size;
  return size;
}

std::string_view NameArena::keep(std::string_view name) noexcept {
  const std::size_t size = size_class(name.size());
  const std::size_t bytes = kSmallestBytes << size;
  char* slot = nullptr;
  if (FreeSlot* free = free_[size]; free != nullptr) {
    free_[size] = free->next;
    slot = reinterpret_cast<char*>(free);
  } else {
    if (chunk_left_bytes_ < bytes) {
      void* memory = mmap(nullptr, kChunkBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (memory == MAP_FAILED) return {};
      chunk_ = static_cast<char*>(memory);
      chunk_left_bytes_ = kChunkBytes;
    }
    slot = chunk_;
    chunk_ += bytes;
    chunk_left_bytes_ -= bytes;
  }
  std::memcpy(slot, name.data(), name.size());
  return {slot, name.size()};
}

void NameArena::give_back(std::string_view kept) noexcept {
  const std::size_t size = size_class(kept.size());
  free_[size] = ::new (const_cast<char*>(kept.data())) FreeSlot{free_[size]};
}

}  // namespace bursar::groups
