#include <bursar/bounds/bounds_verifier.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bursar {
namespace {

struct Totals {
  std::size_t minimum_bytes;
  std::size_t firm_limit_bytes;
};

// The totals of `bounds`, or which component below `path` has none. The deepest is named: what is above it overflows
// too.
std::expected<Totals, VerifierError> checked_totals(const MemoryGrant& grant, const std::string& path,
                                                    const ComponentBounds& bounds) {
  std::vector<UsageExpr> minimums;
  std::vector<UsageExpr> firm_limits;
  for (const auto& [name, subcomponent] : bounds.subcomponents()) {
    const auto totals = checked_totals(grant, path.empty() ? name : path + '.' + name, subcomponent);
    if (!totals) return totals;
    minimums.push_back(UsageExpr::constant(name, totals->minimum_bytes));
    firm_limits.push_back(UsageExpr::constant(name, totals->firm_limit_bytes));
  }
  minimums.insert(minimums.end(), bounds.minimum_exprs().begin(), bounds.minimum_exprs().end());
  firm_limits.insert(firm_limits.end(), bounds.minimum_exprs().begin(), bounds.minimum_exprs().end());
  firm_limits.insert(firm_limits.end(), bounds.firm_exprs().begin(), bounds.firm_exprs().end());

  const auto invalid = [&](const UsageOverflow& overflow) {
    return VerifierError::invalid_component_bounds(grant, path.empty() ? "root" : path, overflow.message);
  };
  const auto minimum = UsageExpr::sum("total minimum", std::move(minimums)).evaluate();
  if (!minimum) return std::unexpected(invalid(minimum.error()));
  const auto firm_limit = UsageExpr::sum("total firm limit", std::move(firm_limits)).evaluate();
  if (!firm_limit) return std::unexpected(invalid(firm_limit.error()));
  return Totals{.minimum_bytes = *minimum, .firm_limit_bytes = *firm_limit};
}

}  // namespace

std::expected<VerifiedBounds, VerifierError> BoundsVerifier::verify() const {
  const auto totals = checked_totals(grant_, "", bounds_);
  if (!totals) return std::unexpected(totals.error());

  const std::uint64_t available_bytes = grant_.effective_limit_bytes();
  if (totals->minimum_bytes > available_bytes) {
    return std::unexpected(VerifierError::insufficient_minimum_memory(grant_, bounds_));
  }
  if (totals->firm_limit_bytes > available_bytes) {
    return std::unexpected(VerifierError::firm_limit_exceeds_available(grant_, bounds_));
  }
  return VerifiedBounds(grant_, bounds_);
}

}  // namespace bursar
