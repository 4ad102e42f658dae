#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace bursar::statsd {

// How many different strings there were, in bounded memory: exact up to kExactLimit of them, beyond that an estimate
// with a standard error of 3 % (HyperLogLog with 1,024 registers, Flajolet et al., AofA 2007).
//
// Thread-safety: belongs to one thread. Allocates: at most kMaxBytes in one block. Blocks: no.
class UniqueCounter {
 public:
  static constexpr std::size_t kExactLimit = 128;
  static constexpr std::size_t kRegisters = 1024;
  static constexpr std::size_t kMaxBytes = kRegisters;

  void insert(std::string_view value);
  [[nodiscard]] double count() const noexcept;

 private:
  void insert_hash_exactly(std::uint64_t hash);
  void insert_hash_estimating(std::uint64_t hash) noexcept;
  void start_estimating();

  std::vector<std::uint64_t> hashes_;    // sorted; empty once registers_ are in use
  std::vector<std::uint8_t> registers_;  // empty while the count is exact
};

}  // namespace bursar::statsd
