#include <bursar/base/bytes.h>
#include <bursar/base/in_quotes.h>
#include <bursar/bounds/verifier_error.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>

namespace bursar {
namespace {

using OwnBytes = std::size_t (ComponentBounds::*)() const noexcept;

void collect_claims(std::vector<ComponentClaim>& claims, const std::string& path, const ComponentBounds& bounds,
                    OwnBytes own_bytes) {
  if (const std::size_t bytes = (bounds.*own_bytes)(); bytes != 0) {
    claims.push_back({.component = path.empty() ? "root" : path, .bytes = bytes});
  }
  for (const auto& [name, subcomponent] : bounds.subcomponents()) {
    collect_claims(claims, path.empty() ? name : path + '.' + name, subcomponent, own_bytes);
  }
}

std::vector<ComponentClaim> largest_claims(const ComponentBounds& bounds, OwnBytes own_bytes) {
  constexpr std::size_t kNamedComponents = 3;
  std::vector<ComponentClaim> claims;
  collect_claims(claims, "", bounds, own_bytes);
  std::ranges::sort(claims, [](const ComponentClaim& left, const ComponentClaim& right) {
    return left.bytes != right.bytes ? left.bytes > right.bytes : left.component < right.component;
  });
  if (claims.size() > kNamedComponents) claims.erase(claims.begin() + kNamedComponents, claims.end());
  return claims;
}

// "64 MiB (67108864 bytes)": two amounts that differ by little read the same in units.
std::string exact_text(std::uint64_t bytes) {
  std::string text = format_bytes(bytes);
  if (bytes >= 1024) text.append(" (").append(std::to_string(bytes)).append(" bytes)");
  return text;
}

// The smallest initial limit whose effective limit is `required_bytes`.
std::optional<std::uint64_t> sufficient_initial_limit(const MemoryGrant& grant, std::uint64_t required_bytes) {
  const auto suffices = [&](std::uint64_t bytes) {
    const auto larger = MemoryGrant::with_slop_factor(bytes, grant.slop_factor());
    return larger && larger->effective_limit_bytes() >= required_bytes;
  };
  std::uint64_t too_small = grant.initial_limit_bytes();
  std::uint64_t enough = MemoryGrant::kMaxInitialLimitBytes;
  if (!suffices(enough)) return std::nullopt;
  while (enough - too_small > 1) {
    const std::uint64_t middle = too_small + (enough - too_small) / 2;
    (suffices(middle) ? enough : too_small) = middle;
  }
  return enough;
}

}  // namespace

VerifierError VerifierError::invalid_component_bounds(const MemoryGrant& grant, std::string component,
                                                      std::string reason) {
  VerifierError error(InvalidComponentBounds, grant, std::numeric_limits<std::size_t>::max(), std::move(component));
  error.reason_ = std::move(reason);
  return error;
}

VerifierError VerifierError::insufficient_minimum_memory(const MemoryGrant& grant, const ComponentBounds& bounds) {
  VerifierError error(InsufficientMinimumMemory, grant, bounds.total_minimum_required_bytes(), "root");
  error.largest_ = largest_claims(bounds, &ComponentBounds::own_minimum_required_bytes);
  return error;
}

VerifierError VerifierError::firm_limit_exceeds_available(const MemoryGrant& grant, const ComponentBounds& bounds) {
  VerifierError error(FirmLimitExceedsAvailable, grant, bounds.total_firm_limit_bytes(), "root");
  error.largest_ = largest_claims(bounds, &ComponentBounds::own_limit_bytes);
  return error;
}

std::string VerifierError::message() const {
  if (kind_ == InvalidComponentBounds) {
    return "invalid bounds of the component " + in_quotes(component_) + ": " + reason_;
  }

  std::string text = kind_ == InsufficientMinimumMemory ? "insufficient memory: the components need at least "
                                                        : "firm limit too high: the components may use up to ";
  text += exact_text(required_bytes_) + ", and " + exact_text(available_bytes()) + " are available";
  if (grant_.slop_factor() > 0.0) text += " of " + format_bytes(grant_.initial_limit_bytes()) + " granted";
  for (std::size_t index = 0; index < largest_.size(); ++index) {
    text += index == 0 ? "; most for " : ", ";
    text += largest_[index].component + ' ' + format_bytes(largest_[index].bytes);
  }
  if (const auto sufficient = sufficient_initial_limit(grant_, required_bytes_)) {
    text += "; a limit of " + exact_text(*sufficient) + " would do";
  }
  return text;
}

std::string_view to_string(VerifierError::Kind kind) noexcept {
  switch (kind) {
    case VerifierError::InvalidComponentBounds:
      return "InvalidComponentBounds";
    case VerifierError::InsufficientMinimumMemory:
      return "InsufficientMinimumMemory";
    case VerifierError::FirmLimitExceedsAvailable:
      return "FirmLimitExceedsAvailable";
  }
  std::unreachable();
}

}  // namespace bursar
