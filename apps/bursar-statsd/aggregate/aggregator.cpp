#include "aggregate/aggregator.h"

#include <array>
#include <utility>

namespace bursar::statsd {
namespace {

// Fewer buckets than these are not worth giving back.
constexpr std::size_t kSpareBuckets = 1024;

constexpr std::string_view kReservedPrefix = "bursar_";
constexpr std::array<std::string_view, 3> kSummarySuffixes = {"_sum", "_count", "_created"};

template <typename... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};

void apply(const Metric& metric, ContextValue& value) {
  const double weight = metric.weight();
  std::visit(Overloaded{
                 [&](CounterValue& counter) {
                   metric.for_each_sample([&](Sample sample) { counter.total += sample.value * weight; });
                 },
                 [&](GaugeValue& gauge) {
                   metric.for_each_sample([&](Sample sample) {
                     gauge.value = sample.is_signed ? gauge.value + sample.value : sample.value;
                   });
                 },
                 [&](SetValue& set) { set.unique.insert(metric.values); },
                 [&](SummaryValue& summary) {
                   metric.for_each_sample([&](Sample sample) {
                     summary.sum += sample.value * weight;
                     summary.count += weight;
                     summary.sketch.record(sample.value, weight);
                   });
                 },
             },
             value);
}

}  // namespace

Aggregator::Aggregator(const AggregatorLimits& limits, const ParserLimits& parser_limits,
                       std::function<bool()> sheds_load)
    : limits_(limits), parser_limits_(parser_limits), sheds_load_(std::move(sheds_load)), series_(parser_limits) {}

std::optional<DropReason> Aggregator::record(const Metric& metric, TimePoint now) {
  series_.build(metric.name, metric.tags);
  if (series_.key().size() > limits_.max_series_bytes) return DropReason::kSeriesTooLong;
  const auto known = contexts_.find(series_.key());
  Context* context = nullptr;
  if (known != contexts_.end()) {
    if (known->second.family->type != metric.type) return DropReason::kTypeConflict;
    context = &known->second;
  } else {
    if (const auto reason = check_new_context(series_.metric_name(), metric.type)) return reason;
    context = &create_context(metric);
  }
  if (context->family->original_name() != metric.name) ++stats_.name_collisions;
  if (series_.merged_tags()) ++stats_.merged_tags;
  context->last_seen = now;
  apply(metric, context->value);
  return std::nullopt;
}

std::optional<DropReason> Aggregator::check_new_context(std::string_view name, MetricType type) const {
  if (name.starts_with(kReservedPrefix)) return DropReason::kReservedName;
  const auto family = families_.find(name);
  const bool is_taken = family != families_.end() ? family->second.type != type : clashes_with_summary(name, type);
  if (is_taken) return DropReason::kTypeConflict;
  if (contexts_.size() >= limits_.max_contexts) return DropReason::kContextLimit;
  if (sheds_load_ && sheds_load_()) return DropReason::kMemoryPressure;
  return std::nullopt;
}

bool Aggregator::clashes_with_summary(std::string_view name, MetricType type) const {
  for (const std::string_view suffix : kSummarySuffixes) {
    if (is_summary(type) && families_.contains(std::string(name).append(suffix))) return true;
    if (!name.ends_with(suffix)) continue;
    const auto stem = families_.find(name.substr(0, name.size() - suffix.size()));
    if (stem != families_.end() && is_summary(stem->second.type)) return true;
  }
  return false;
}

Family& Aggregator::family_of(const Metric& metric) {
  const auto known = families_.find(series_.metric_name());
  if (known != families_.end()) return known->second;
  const auto created = families_.try_emplace(std::string(series_.metric_name())).first;
  Family& family = created->second;
  family.name = created->first;
  family.type = metric.type;
  if (family.name != metric.name) family.received_name = metric.name;
  return family;
}

Context& Aggregator::create_context(const Metric& metric) {
  Family& family = family_of(metric);
  const auto created = contexts_.try_emplace(std::string(series_.key())).first;
  Context& context = created->second;
  context.key = created->first;
  context.family = &family;
  context.value = empty_value(metric.type);
  context.previous = family.last;
  (family.last != nullptr ? family.last->next : family.first) = &context;
  family.last = &context;
  ++family.contexts;
  ++stats_.created_contexts;
  return context;
}

void Aggregator::forget(ContextTable::iterator position) {
  Context& context = position->second;
  Family& family = *context.family;
  (context.previous != nullptr ? context.previous->next : family.first) = context.next;
  (context.next != nullptr ? context.next->previous : family.last) = context.previous;
  --family.contexts;
  if (family.first == nullptr) families_.erase(families_.find(family.name));
  contexts_.erase(position);
}

// A hash table keeps the buckets of its fullest time; those of a burst are given back.
void Aggregator::shrink_table() {
  if (contexts_.bucket_count() > kSpareBuckets + 4 * contexts_.size()) contexts_.rehash(2 * contexts_.size());
}

void Aggregator::sweep(TimePoint now) {
  if (!last_fade_) last_fade_ = now;
  const bool is_fading = now - *last_fade_ >= kFadeInterval;
  if (is_fading) last_fade_ = now;
  const bool is_expiring = limits_.context_ttl.count() > 0;
  if (!is_fading && !is_expiring) return;
  const std::uint64_t expired_before = stats_.expired_contexts;
  for (auto position = contexts_.begin(); position != contexts_.end();) {
    const auto current = position++;
    Context& context = current->second;
    if (is_expiring && now - context.last_seen >= limits_.context_ttl) {
      forget(current);
      ++stats_.expired_contexts;
    } else if (auto* summary = std::get_if<SummaryValue>(&context.value); summary != nullptr && is_fading) {
      summary->sketch.fade();
    }
  }
  if (stats_.expired_contexts != expired_before) shrink_table();
}

}  // namespace bursar::statsd
