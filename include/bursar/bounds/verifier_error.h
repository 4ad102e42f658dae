#pragma once

#include <bursar/bounds/component_bounds.h>
#include <bursar/bounds/memory_grant.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace bursar {

// A component and what it claims for itself, without what is below it.
//
// Thread-safety: a plain value. Allocates: its string. Blocks: no.
struct ComponentClaim {
  // The full dotted name, `root` for the root.
  std::string component;
  std::size_t bytes;
};

// Why bounds do not fit a grant.
//
// Thread-safety: a value. Allocates: when made, and in `message()`. Blocks: no.
class VerifierError {
 public:
  enum class Kind {
    // The bounds of a component have no value: a sum or a product in them overflows.
    InvalidComponentBounds,
    // The components cannot even start within the grant.
    InsufficientMinimumMemory,
    // The components can start, but may come to use more than the grant.
    FirmLimitExceedsAvailable,
  };
  using enum Kind;

  // `bounds` that overflow in `component` for the given reason.
  [[nodiscard]] static VerifierError invalid_component_bounds(const MemoryGrant& grant, std::string component,
                                                              std::string reason);
  [[nodiscard]] static VerifierError insufficient_minimum_memory(const MemoryGrant& grant,
                                                                 const ComponentBounds& bounds);
  [[nodiscard]] static VerifierError firm_limit_exceeds_available(const MemoryGrant& grant,
                                                                  const ComponentBounds& bounds);

  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  // The effective limit of the grant.
  [[nodiscard]] std::uint64_t available_bytes() const noexcept { return grant_.effective_limit_bytes(); }
  // The total minimum or the total firm limit; SIZE_MAX for bounds that have no value.
  [[nodiscard]] std::size_t required_bytes() const noexcept { return required_bytes_; }
  // The component that the numbers are those of: the one whose bounds overflow, else `root`.
  [[nodiscard]] const std::string& component() const noexcept { return component_; }
  // Up to three components that claim the most for themselves, the largest first; empty for bounds that have no value.
  [[nodiscard]] const std::vector<ComponentClaim>& largest_components() const noexcept { return largest_; }

  // One line: what does not fit, by how much, who claims the most, and which grant would do.
  [[nodiscard]] std::string message() const;

 private:
  VerifierError(Kind kind, const MemoryGrant& grant, std::size_t required_bytes, std::string component) noexcept
      : kind_(kind), grant_(grant), required_bytes_(required_bytes), component_(std::move(component)) {}

  Kind kind_;
  MemoryGrant grant_;
  std::size_t required_bytes_;
  std::string component_;
  std::string reason_;
  std::vector<ComponentClaim> largest_;
};

// "InvalidComponentBounds", "InsufficientMinimumMemory", "FirmLimitExceedsAvailable".
[[nodiscard]] std::string_view to_string(VerifierError::Kind kind) noexcept;

}  // namespace bursar
