#pragma once

#include <cstdint>
#include <expected>
#include <string>

namespace bursar {

// Why a grant was refused.
//
// Thread-safety: a plain value. Allocates: its string. Blocks: no.
struct GrantError {
  enum class Reason { InitialLimitTooLarge, InvalidSlopFactor };

  Reason reason;
  // One line with the value and what would be right.
  std::string message;
};

// The bytes that an operator gives to the process, less a slop factor: the share that is held back for what the books
// do not see, such as the allocator's own memory, stacks and code.
//
// Thread-safety: a value. Allocates: no, but for errors. Blocks: no.
class MemoryGrant {
 public:
  // 2^53: up to here a double holds every number of bytes.
  static constexpr std::uint64_t kMaxInitialLimitBytes = std::uint64_t{1} << 53;

  // A grant that is used to the last byte.
  [[nodiscard]] static std::expected<MemoryGrant, GrantError> effective(std::uint64_t bytes);

  // REQUIRES for success: 0.0 <= slop_factor < 1.0, and at most 2^53 bytes. A grant of 0 bytes is one in which nothing
  // but bounds of 0 fits.
  [[nodiscard]] static std::expected<MemoryGrant, GrantError> with_slop_factor(std::uint64_t bytes, double slop_factor);

  [[nodiscard]] std::uint64_t initial_limit_bytes() const noexcept { return initial_limit_bytes_; }
  [[nodiscard]] double slop_factor() const noexcept { return slop_factor_; }

  // initial x (1 - slop), rounded down to a whole byte. A product that misses a whole number only because a double
  // cannot hold the factor exactly counts as that number: 1000 bytes with a factor of 0.9 are 100, not 99.
  [[nodiscard]] std::uint64_t effective_limit_bytes() const noexcept;

 private:
  MemoryGrant(std::uint64_t initial_limit_bytes, double slop_factor) noexcept
      : initial_limit_bytes_(initial_limit_bytes), slop_factor_(slop_factor) {}

  std::uint64_t initial_limit_bytes_;
  double slop_factor_;
};

}  // namespace bursar
