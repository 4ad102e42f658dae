#pragma once

#include <bursar/bounds/component_bounds.h>
#include <bursar/bounds/memory_grant.h>
#include <bursar/bounds/verifier_error.h>

#include <cstddef>
#include <cstdint>
#include <expected>
#include <utility>

namespace bursar {

// Bounds together with a grant that they fit: only a `BoundsVerifier` makes them.
//
// Thread-safety: a value. Allocates: when copied. Blocks: no.
class VerifiedBounds {
 public:
  // The effective limit of the grant.
  [[nodiscard]] std::uint64_t total_available_bytes() const noexcept { return grant_.effective_limit_bytes(); }
  [[nodiscard]] std::size_t total_minimum_required_bytes() const noexcept {
    return bounds_.total_minimum_required_bytes();
  }
  [[nodiscard]] std::size_t total_firm_limit_bytes() const noexcept { return bounds_.total_firm_limit_bytes(); }

  [[nodiscard]] const ComponentBounds& bounds() const noexcept { return bounds_; }
  [[nodiscard]] const MemoryGrant& grant() const noexcept { return grant_; }

 private:
  friend class BoundsVerifier;
  VerifiedBounds(const MemoryGrant& grant, ComponentBounds bounds) noexcept
      : grant_(grant), bounds_(std::move(bounds)) {}

  MemoryGrant grant_;
  ComponentBounds bounds_;
};

// Finds out, before anything is started, whether bounds fit a grant.
//
// Thread-safety: a value. Allocates: copies of the bounds, and errors. Blocks: no.
class BoundsVerifier {
 public:
  BoundsVerifier(const MemoryGrant& grant, ComponentBounds bounds) noexcept
      : grant_(grant), bounds_(std::move(bounds)) {}

  // Looks first whether the bounds have values at all, then whether the total minimum fits the grant's effective limit,
  // then whether the total firm limit does. Just as much as there is fits.
  [[nodiscard]] std::expected<VerifiedBounds, VerifierError> verify() const;

 private:
  MemoryGrant grant_;
  ComponentBounds bounds_;
};

}  // namespace bursar
