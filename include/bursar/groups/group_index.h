#pragma once

#include <cstddef>
#include <cstdint>

namespace bursar::groups {

// A group's number in the ledger. Every value is a valid index into a thread's account, so that a damaged tag can lead
// to a wrong group but never out of bounds.
using GroupIndex = std::uint16_t;

inline constexpr GroupIndex kRootIndex = 0;
inline constexpr std::size_t kGroupIndexes = std::size_t{1} << 16;

// Groups are read in pages: as many as have their counters in one page of memory.
inline constexpr std::size_t kGroupsPerPage = 64;
inline constexpr std::size_t kGroupPages = kGroupIndexes / kGroupsPerPage;

}  // namespace bursar::groups
