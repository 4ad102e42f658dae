#include <algorithm>
#include <string>

#include <bursar/bounds/container_usage.h>
#include <bursar/bounds/memory_bounds_builder.h>
#include <bursar/bounds/usage_expr.h>

#include "aggregate/aggregator.h"

namespace bursar::statsd {
namespace {

// The buckets of a hash table that has grown element by element: up to twice as many as its elements need, and while it
// grows the old ones beside the new.
constexpr std::size_t kBucketGrowthBytes = 3 * sizeof(void*);

// The most that a value holds on the heap, whatever its type. A sketch moves to a larger block by holding both.
std::size_t largest_value_bytes() {
  return std::max(charged_block_bytes(QuantileSketch::kMaxBins * QuantileSketch::kBinBytes),
                  charged_block_bytes(UniqueCounter::kMaxBytes));
}

}  // namespace

void Aggregator::specify_bounds(MemoryBoundsBuilder& builder) const {
  builder.minimum()
      .with_fixed_amount("series_buffers", series_.buffer_bytes())
      .with_fixed_amount("growing_value", largest_value_bytes());

  const UsageExpr max_contexts = UsageExpr::config("max_contexts", limits_.max_contexts);
  // In the worst case each context is a family of its own.
  builder.firm()
      .with_container<ContextTable>("contexts", limits_.max_contexts)
      .with_expr(UsageExpr::product("bucket_growth", max_contexts,
                                    UsageExpr::constant("bytes_per_context", kBucketGrowthBytes)))
      .with_expr(
          UsageExpr::product("series", max_contexts,
                             UsageExpr::config("max_series_block", charged_block_bytes(limits_.max_series_bytes + 1))))
      .with_expr(
          UsageExpr::product("values", max_contexts, UsageExpr::constant("largest_value", largest_value_bytes())))
      .with_container<FamilyTable>("families", limits_.max_contexts)
      .with_expr(UsageExpr::product(
          "family_names", max_contexts,
          UsageExpr::product(
              "two_names", UsageExpr::constant("names", 2),
              UsageExpr::config("max_name_block", charged_block_bytes(parser_limits_.max_name_bytes + 2)))));
}

}  // namespace bursar::statsd
