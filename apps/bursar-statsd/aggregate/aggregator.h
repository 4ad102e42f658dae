#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "aggregate/context.h"
#include "aggregate/series_key.h"
#include "protocol/drop_reason.h"
#include "protocol/line_parser.h"
#include "protocol/metric.h"

namespace bursar {
class MemoryBoundsBuilder;
}

namespace bursar::statsd {

struct AggregatorLimits {
  // How many contexts there may be at once. New ones beyond that are dropped; known ones go on counting.
  std::size_t max_contexts = 10'000;
  // How long the name of a series may be, its labels included, as it stands in the exposition.
  std::size_t max_series_bytes = 768;
  // After how much time without a line a context is forgotten; 0: never.
  std::chrono::seconds context_ttl{0};
};

struct AggregatorStats {
  std::uint64_t created_contexts = 0;
  std::uint64_t expired_contexts = 0;
  // Lines whose metric name differs from that of the family they were added to: both became the same Prometheus name.
  std::uint64_t name_collisions = 0;
  // Lines of which two tags became the same label.
  std::uint64_t merged_tags = 0;
};

// Folds metrics into contexts, one for each name and set of tags. A name has one type: the first that comes keeps it,
// and lines with another type are refused for as long as a context of the first lives. The same holds for names that a
// summary brings with it: `x_sum`, `x_count` and `x_created` beside a timer `x`.
//
// Thread-safety: belongs to one thread. Allocates: for new contexts, and as their values grow; what that is at most
// `specify_bounds` tells. Blocks: no.
class Aggregator {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // `sheds_load` is asked before a new context is made, and refuses it by answering true.
  explicit Aggregator(const AggregatorLimits& limits, const ParserLimits& parser_limits = {},
                      std::function<bool()> sheds_load = {});
  Aggregator(const Aggregator&) = delete;
  Aggregator& operator=(const Aggregator&) = delete;

  // Adds one metric; answers why it was dropped, if it was.
  [[nodiscard]] std::optional<DropReason> record(const Metric& metric, TimePoint now);

  // Forgets idle contexts and lets old values weigh less in the quantiles: half after each kFadeInterval.
  // To be called about once a second. Cost: one pass over the contexts.
  void sweep(TimePoint now);
  static constexpr std::chrono::minutes kFadeInterval{5};

  [[nodiscard]] std::size_t contexts() const noexcept { return contexts_.size(); }
  [[nodiscard]] std::size_t families() const noexcept { return families_.size(); }
  [[nodiscard]] const AggregatorStats& stats() const noexcept { return stats_; }
  [[nodiscard]] const AggregatorLimits& limits() const noexcept { return limits_; }

  // Calls `visitor(const Family&)` for each family in the order of the names.
  template <typename Visitor>
  void visit_families(Visitor&& visitor) const {
    for (const auto& [name, family] : families_) visitor(family);
  }

  void specify_bounds(MemoryBoundsBuilder& builder) const;

 private:
  struct KeyHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view key) const noexcept { return std::hash<std::string_view>{}(key); }
  };
  using ContextTable = std::unordered_map<std::string, Context, KeyHash, std::equal_to<>>;
  using FamilyTable = std::map<std::string, Family, std::less<>>;

  [[nodiscard]] std::optional<DropReason> check_new_context(std::string_view name, MetricType type) const;
  [[nodiscard]] bool clashes_with_summary(std::string_view name, MetricType type) const;
  Context& create_context(const Metric& metric);
  Family& family_of(const Metric& metric);
  void forget(ContextTable::iterator context);
  void shrink_table();

  AggregatorLimits limits_;
  ParserLimits parser_limits_;
  std::function<bool()> sheds_load_;
  SeriesKeyBuilder series_;
  ContextTable contexts_;
  FamilyTable families_;
  AggregatorStats stats_;
  std::optional<TimePoint> last_fade_;
};

}  // namespace bursar::statsd
