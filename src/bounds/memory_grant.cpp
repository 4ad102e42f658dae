#include <bursar/base/bytes.h>
#include <bursar/bounds/memory_grant.h>

#include <array>
#include <charconv>
#include <cmath>

namespace bursar {
namespace {

// The shortest text that reads back as the same number.
std::string shortest_text(double number) {
  std::array<char, 32> text;
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), number);
  return {text.data(), end};
}

}  // namespace

std::expected<MemoryGrant, GrantError> MemoryGrant::effective(std::uint64_t bytes) {
  return with_slop_factor(bytes, 0.0);
}

std::expected<MemoryGrant, GrantError> MemoryGrant::with_slop_factor(std::uint64_t bytes, double slop_factor) {
  // Written so that a NaN, which compares as nothing, is refused.
  if (!(slop_factor >= 0.0 && slop_factor < 1.0)) {
    return std::unexpected(
        GrantError{.reason = GrantError::Reason::InvalidSlopFactor,
                   .message = "a slop factor of " + shortest_text(slop_factor) +
                              " is out of range: it has to be at least 0.0 and less than 1.0, such as 0.25"});
  }
  if (bytes > kMaxInitialLimitBytes) {
    return std::unexpected(GrantError{
        .reason = GrantError::Reason::InitialLimitTooLarge,
        .message = "an initial limit of " + std::to_string(bytes) + " bytes is too large: it has to be at most " +
                   std::to_string(kMaxInitialLimitBytes) + " bytes (" + format_bytes(kMaxInitialLimitBytes) + ")"});
  }
  return MemoryGrant(bytes, slop_factor);
}

std::uint64_t MemoryGrant::effective_limit_bytes() const noexcept {
  const auto initial = static_cast<double>(initial_limit_bytes_);
  const double exact = initial * (1.0 - slop_factor_);
  const double whole = std::nearbyint(exact);
  // The factor and 1 - factor are each off by at most 2^-54, the product by half a unit in its last place.
  const double tolerance = std::ldexp(initial, -52);
  return static_cast<std::uint64_t>(std::abs(exact - whole) <= tolerance ? whole : std::floor(exact));
}

}  // namespace bursar
