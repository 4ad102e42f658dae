#include <gtest/gtest.h>

#include <memory>
#include <string>

#include <bursar/bounds/memory_bounds_builder.h>
#include <bursar/groups/resource_group_registry.h>
#include <bursar/groups/resource_group_token.h>

#include "aggregate/aggregator.h"
#include "protocol/line_parser.h"

namespace bursar::statsd {
namespace {

// An aggregator whose memory is all in one group.
class AggregatorBounds : public testing::Test {
 protected:
  void make(const AggregatorLimits& limits) {
    const ResourceTrackingGuard guard(group_);
    aggregator_ = std::make_unique<Aggregator>(limits);
  }
  void record(const std::string& line) {
    const auto parsed = parse_line(line);
    ASSERT_TRUE(parsed.has_value()) << line << ": " << to_string(parsed.error());
    const ResourceTrackingGuard guard(group_);
    const auto refused = aggregator_->record(std::get<Metric>(*parsed), {});
    ASSERT_FALSE(refused.has_value()) << to_string(*refused);
  }
  [[nodiscard]] std::uint64_t live_bytes() const { return group_.stats().totals().live_bytes(); }
  [[nodiscard]] std::uint64_t live_objects() const { return group_.stats().totals().live_objects(); }

  ResourceGroupToken group_ = ResourceGroupRegistry::global().register_resource_group(
      std::string("test.") + testing::UnitTest::GetInstance()->current_test_info()->name());
  std::unique_ptr<Aggregator> aggregator_;
};

// Each context is a family of its own, has the longest names and as many bins as there can be.
TEST_F(AggregatorBounds, TheWorstTrafficStaysWithinThem) {
  constexpr std::size_t kContexts = 1000;
  make({.max_contexts = kContexts});
  const ComponentBounds bounds = bounds_of(*aggregator_);
  EXPECT_LE(live_bytes(), bounds.total_minimum_required_bytes() + sizeof(Aggregator) + 16);
  for (std::size_t i = 0; i < kContexts; ++i) {
    std::string name = std::to_string(1'000'000 + i) + ".";
    name.resize(200, '.');
    // 201 bytes of the name, a brace, and a label that takes the rest of 768.
    const std::string tag = "k:" + std::string(768 - 201 - 1 - std::string("k=\"\"").size(), 'v');
    std::string line = name + ":1";
    for (int bin = 0; bin < 200; ++bin) line += ":1e" + std::to_string(bin);
    record(line + "|ms|#" + tag);
  }
  EXPECT_LE(live_bytes(), bounds.total_firm_limit_bytes());
  // They are not far from what really can come: a bound that is never reached would be no help.
  EXPECT_GE(static_cast<double>(live_bytes()), 0.95 * static_cast<double>(bounds.total_firm_limit_bytes()));
}

TEST_F(AggregatorBounds, ContextsThatExpireGiveEverythingBack) {
  make({.context_ttl = std::chrono::seconds(1)});
  record("warm:1|c");
  const std::uint64_t objects = live_objects();
  for (int i = 0; i < 500; ++i) record("some.name:1|ms|#a.long.enough.tag.to.be.on.the.heap:" + std::to_string(i));
  EXPECT_GE(live_objects(), objects + 3 * 500);
  const ResourceTrackingGuard guard(group_);
  aggregator_->sweep(Aggregator::TimePoint{} + std::chrono::seconds(1));
  // What stays is the table's array of buckets and the buffers.
  EXPECT_EQ(aggregator_->contexts(), 0U);
  EXPECT_LT(live_objects(), objects);
}

TEST_F(AggregatorBounds, EachContextIsCharged) {
  make({});
  std::uint64_t before = live_bytes();
  for (int i = 0; i < 10; ++i) {
    record("counter" + std::to_string(i) + ":1|c");
    EXPECT_GE(live_bytes(), before + sizeof(Context) + sizeof(Family));
    before = live_bytes();
  }
  record("counter0:1|c");
  EXPECT_EQ(live_bytes(), before);
}

}  // namespace
}  // namespace bursar::statsd
