#include "aggregate/aggregator.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/line_parser.h"

namespace bursar::statsd {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr Aggregator::TimePoint kStart{};

std::string record(Aggregator& aggregator, std::string_view line, Aggregator::TimePoint now = kStart) {
  const auto parsed = parse_line(line);
  if (!parsed) return std::string(to_string(parsed.error()));
  const auto refused = aggregator.record(std::get<Metric>(*parsed), now);
  return refused ? std::string(to_string(*refused)) : "recorded";
}

const Context* find(const Aggregator& aggregator, std::string_view key) {
  const Context* found = nullptr;
  aggregator.visit_families([&](const Family& family) {
    for (const Context* context = family.first; context != nullptr; context = context->next) {
      if (context->key == key) found = context;
    }
  });
  return found;
}

template <typename Value>
Value value_of(const Aggregator& aggregator, std::string_view key) {
  const Context* context = find(aggregator, key);
  if (context == nullptr || !std::holds_alternative<Value>(context->value)) {
    ADD_FAILURE() << "no such context: " << key;
    return {};
  }
  return std::get<Value>(context->value);
}

TEST(Aggregator, ScalesCountersByTheSampleRate) {
  Aggregator aggregator({});
  record(aggregator, "a:1|c");
  record(aggregator, "a:2:3|c|@0.5");
  EXPECT_EQ(value_of<CounterValue>(aggregator, "a{").total, 11);
}

TEST(Aggregator, SetsAndMovesGauges) {
  Aggregator aggregator({});
  record(aggregator, "a:10|g");
  record(aggregator, "a:+4|g");
  record(aggregator, "a:-1|g");
  EXPECT_EQ(value_of<GaugeValue>(aggregator, "a{").value, 13);
  record(aggregator, "a:5|g|@0.1");
  EXPECT_EQ(value_of<GaugeValue>(aggregator, "a{").value, 5);
  record(aggregator, "b:-3|g");
  EXPECT_EQ(value_of<GaugeValue>(aggregator, "b{").value, -3);
}

TEST(Aggregator, CountsTheDifferentValuesOfASet) {
  Aggregator aggregator({});
  for (const char* line : {"a:x|s", "a:y|s", "a:x|s", "a:x:y|s"}) record(aggregator, line);
  EXPECT_EQ(value_of<SetValue>(aggregator, "a{").unique.count(), 3);
}

TEST(Aggregator, SumsAndCountsTimersExactly) {
  Aggregator aggregator({});
  record(aggregator, "a:100:200|ms");
  record(aggregator, "a:7|ms|@0.25");
  const auto summary = value_of<SummaryValue>(aggregator, "a{");
  EXPECT_EQ(summary.sum, 328);
  EXPECT_EQ(summary.count, 6);
}

TEST(Aggregator, ContextsDifferByTagsNotByTheirOrder) {
  Aggregator aggregator({});
  record(aggregator, "a:1|c|#x:1,y:2");
  record(aggregator, "a:1|c|#y:2,x:1");
  record(aggregator, "a:1|c|#x:1");
  EXPECT_EQ(aggregator.contexts(), 2U);
  EXPECT_EQ(aggregator.families(), 1U);
  EXPECT_EQ(value_of<CounterValue>(aggregator, "a{x=\"1\",y=\"2\"").total, 2);
}

TEST(Aggregator, TheFirstTypeKeepsTheName) {
  Aggregator aggregator({});
  EXPECT_EQ(record(aggregator, "a:1|c"), "recorded");
  EXPECT_EQ(record(aggregator, "a:1|g"), "type_conflict");
  EXPECT_EQ(record(aggregator, "a:1|g|#x:1"), "type_conflict");
  EXPECT_EQ(record(aggregator, "a:1|c|#x:1"), "recorded");
}

TEST(Aggregator, ASummaryOwnsTheNamesThatItBrings) {
  Aggregator aggregator({});
  EXPECT_EQ(record(aggregator, "t:1|ms"), "recorded");
  EXPECT_EQ(record(aggregator, "t_count:1|c"), "type_conflict");
  EXPECT_EQ(record(aggregator, "t.sum:1|g"), "type_conflict");
  EXPECT_EQ(record(aggregator, "t_max:1|g"), "recorded");
  EXPECT_EQ(record(aggregator, "u_count:1|c"), "recorded");
  EXPECT_EQ(record(aggregator, "u:1|h"), "type_conflict");
  EXPECT_EQ(record(aggregator, "u:1|c"), "recorded");
}

TEST(Aggregator, NamesThatBecomeTheSameAreOneSeriesAndCounted) {
  Aggregator aggregator({});
  record(aggregator, "a.b:1|c");
  record(aggregator, "a.b:1|c");
  EXPECT_EQ(aggregator.stats().name_collisions, 0U);
  record(aggregator, "a-b:1|c");
  record(aggregator, "a_b:1|c");
  EXPECT_EQ(aggregator.stats().name_collisions, 2U);
  EXPECT_EQ(value_of<CounterValue>(aggregator, "a_b{").total, 4);
}

TEST(Aggregator, KeepsBursarsOwnNamesFree) {
  Aggregator aggregator({});
  EXPECT_EQ(record(aggregator, "bursar.statsd.lines.total:1|c"), "reserved_name");
  EXPECT_EQ(record(aggregator, "bursary:1|c"), "recorded");
}

TEST(Aggregator, AtTheLimitKnownContextsGoOnCounting) {
  Aggregator aggregator({.max_contexts = 2});
  EXPECT_EQ(record(aggregator, "a:1|c"), "recorded");
  EXPECT_EQ(record(aggregator, "b:1|c"), "recorded");
  EXPECT_EQ(record(aggregator, "c:1|c"), "context_limit");
  EXPECT_EQ(record(aggregator, "a:1|c|#t"), "context_limit");
  EXPECT_EQ(record(aggregator, "a:1|c"), "recorded");
  EXPECT_EQ(value_of<CounterValue>(aggregator, "a{").total, 2);
  EXPECT_EQ(aggregator.contexts(), 2U);
}

TEST(Aggregator, ShedsNewContextsOnly) {
  bool sheds = false;
  Aggregator aggregator({}, {}, [&] { return sheds; });
  EXPECT_EQ(record(aggregator, "a:1|c"), "recorded");
  sheds = true;
  EXPECT_EQ(record(aggregator, "b:1|c"), "memory_pressure");
  EXPECT_EQ(record(aggregator, "a:1|c"), "recorded");
  sheds = false;
  EXPECT_EQ(record(aggregator, "b:1|c"), "recorded");
}

TEST(Aggregator, HoldsTheLengthOfASeriesExactly) {
  Aggregator aggregator({.max_series_bytes = 100});
  const std::string value(100 - std::string("a{k=\"\"").size(), 'v');
  EXPECT_EQ(record(aggregator, "a:1|c|#k:" + value), "recorded");
  EXPECT_EQ(record(aggregator, "a:1|c|#k:" + value + "v"), "series_too_long");
}

TEST(Aggregator, IdleContextsExpireAndFreeTheirName) {
  Aggregator aggregator({.max_contexts = 2, .context_ttl = seconds(10)});
  record(aggregator, "a:1|c");
  record(aggregator, "a:1|c|#t:1", kStart + seconds(5));
  aggregator.sweep(kStart + seconds(9));
  EXPECT_EQ(aggregator.contexts(), 2U);
  aggregator.sweep(kStart + seconds(10));
  EXPECT_EQ(aggregator.contexts(), 1U);
  EXPECT_EQ(find(aggregator, "a{"), nullptr);
  EXPECT_NE(find(aggregator, "a{t=\"1\""), nullptr);
  EXPECT_EQ(record(aggregator, "a:1|g", kStart + seconds(11)), "type_conflict");
  aggregator.sweep(kStart + seconds(15));
  EXPECT_EQ(aggregator.families(), 0U);
  EXPECT_EQ(aggregator.stats().expired_contexts, 2U);
  EXPECT_EQ(record(aggregator, "a:1|g", kStart + seconds(16)), "recorded");
}

TEST(Aggregator, ALineKeepsItsContextAlive) {
  Aggregator aggregator({.context_ttl = seconds(10)});
  record(aggregator, "a:1|c");
  record(aggregator, "a:1|c", kStart + seconds(9));
  aggregator.sweep(kStart + seconds(18));
  EXPECT_EQ(aggregator.contexts(), 1U);
}

TEST(Aggregator, WithoutTimeToLiveNothingExpires) {
  Aggregator aggregator({});
  record(aggregator, "a:1|c");
  aggregator.sweep(kStart + std::chrono::hours(1000));
  EXPECT_EQ(aggregator.contexts(), 1U);
}

TEST(Aggregator, OldValuesFadeFromQuantilesNotFromSums) {
  Aggregator aggregator({});
  record(aggregator, "a:1|ms");
  aggregator.sweep(kStart);
  for (int i = 1; i <= 11; ++i) aggregator.sweep(kStart + i * Aggregator::kFadeInterval);
  const auto summary = value_of<SummaryValue>(aggregator, "a{");
  EXPECT_EQ(summary.sketch.bins(), 0U);
  EXPECT_EQ(summary.count, 1);
}

TEST(Aggregator, FadesNoSoonerThanTheInterval) {
  Aggregator aggregator({});
  record(aggregator, "a:1|ms");
  for (int i = 0; i < 100; ++i) aggregator.sweep(kStart + seconds(i));
  EXPECT_EQ(value_of<SummaryValue>(aggregator, "a{").sketch.bins(), 1U);
}

// Any order of lines gives the sums that a plain map gives, and keeps the lists of families whole.
RC_GTEST_PROP(AggregatorLaw, AgreesWithAPlainMap, ()) {
  struct Step {
    int context;
    int value;
    int seconds_later;
  };
  Aggregator aggregator({.max_contexts = 5, .context_ttl = seconds(3)});
  std::map<int, std::pair<double, int>> expected;
  int time = 0;
  const int steps = *rc::gen::inRange(0, 100);
  for (int i = 0; i < steps; ++i) {
    const Step step{*rc::gen::inRange(0, 9), *rc::gen::inRange(0, 5), *rc::gen::inRange(0, 3)};
    time += step.seconds_later;
    aggregator.sweep(kStart + seconds(time));
    std::erase_if(expected, [&](const auto& entry) { return time - entry.second.second >= 3; });
    const std::string name = "name" + std::to_string(step.context % 3);
    const std::string tag = std::to_string(step.context);
    const std::string outcome =
        record(aggregator, name + ":" + std::to_string(step.value) + "|c|#t:" + tag, kStart + seconds(time));
    if (expected.contains(step.context) || expected.size() < 5) {
      RC_ASSERT(outcome == "recorded");
      expected[step.context].first += step.value;
      expected[step.context].second = time;
    } else {
      RC_ASSERT(outcome == "context_limit");
    }
    std::size_t listed = 0;
    std::size_t counted = 0;
    aggregator.visit_families([&](const Family& family) {
      RC_ASSERT(family.first != nullptr);
      counted += family.contexts;
      for (const Context* context = family.first; context != nullptr; context = context->next) {
        ++listed;
        RC_ASSERT(context->family == &family);
        RC_ASSERT((context->next != nullptr ? context->next->previous : family.last) == context);
      }
    });
    RC_ASSERT(listed == expected.size());
    RC_ASSERT(counted == expected.size());
    for (const auto& [context, entry] : expected) {
      const std::string key = "name" + std::to_string(context % 3) + "{t=\"" + std::to_string(context) + "\"";
      RC_ASSERT(value_of<CounterValue>(aggregator, key).total == entry.first);
    }
  }
}

}  // namespace
}  // namespace bursar::statsd
