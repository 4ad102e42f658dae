#include <bursar/groups/resource_stats.h>

#include <cstdint>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace rc {

template <>
struct Arbitrary<bursar::ResourceStatsSnapshot> {
  static Gen<bursar::ResourceStatsSnapshot> arbitrary() {
    const auto figure = gen::inRange<std::uint64_t>(0, std::uint64_t{1} << 60);
    return gen::build<bursar::ResourceStatsSnapshot>(
        gen::set(&bursar::ResourceStatsSnapshot::allocated_bytes, figure),
        gen::set(&bursar::ResourceStatsSnapshot::allocated_objects, figure),
        gen::set(&bursar::ResourceStatsSnapshot::deallocated_bytes, figure),
        gen::set(&bursar::ResourceStatsSnapshot::deallocated_objects, figure),
        gen::set(&bursar::ResourceStatsSnapshot::cpu_time_nanos, figure));
  }
};

}  // namespace rc

namespace bursar {
namespace {

constexpr ResourceStatsSnapshot kSome{.allocated_bytes = 100,
                                      .allocated_objects = 10,
                                      .deallocated_bytes = 40,
                                      .deallocated_objects = 3,
                                      .cpu_time_nanos = 7'000};

TEST(ResourceStatsSnapshot, EmptyIsAllZeros) {
  EXPECT_EQ(ResourceStatsSnapshot::empty(), ResourceStatsSnapshot{});
  EXPECT_EQ(ResourceStatsSnapshot::empty().live_bytes(), 0U);
  EXPECT_EQ(ResourceStatsSnapshot::empty().live_objects(), 0U);
}

TEST(ResourceStatsSnapshot, LiveIsWhatIsNotReleased) {
  EXPECT_EQ(kSome.live_bytes(), 60U);
  EXPECT_EQ(kSome.live_objects(), 7U);
}

TEST(ResourceStatsSnapshot, MoreReleasedThanAllocatedIsNothingLive) {
  constexpr ResourceStatsSnapshot kDelta{
      .allocated_bytes = 1, .allocated_objects = 1, .deallocated_bytes = 2, .deallocated_objects = 2};
  EXPECT_EQ(kDelta.live_bytes(), 0U);
  EXPECT_EQ(kDelta.live_objects(), 0U);
}

TEST(ResourceStats, ADeltaAgainstNothingIsTheTotals) {
  EXPECT_EQ(ResourceStats(kSome).snapshot_delta(ResourceStatsSnapshot::empty()), kSome);
}

TEST(ResourceStats, HasAllocatedOnceAnyObjectWas) {
  EXPECT_FALSE(ResourceStats().has_allocated());
  EXPECT_FALSE(ResourceStats({.deallocated_objects = 1, .cpu_time_nanos = 5}).has_allocated());
  EXPECT_TRUE(ResourceStats({.allocated_objects = 1}).has_allocated());
  EXPECT_TRUE(ResourceStats(kSome).has_allocated());
}

RC_GTEST_PROP(ResourceStatsLaws, ADeltaMergedIntoWhatWasBeforeIsWhatIsNow,
              (const ResourceStatsSnapshot& before, const ResourceStatsSnapshot& growth)) {
  ResourceStatsSnapshot now = before;
  now.merge(growth);
  RC_ASSERT(ResourceStats(now).snapshot_delta(before) == growth);
}

RC_GTEST_PROP(ResourceStatsLaws, MergingKnowsNoOrder,
              (const ResourceStatsSnapshot& a, const ResourceStatsSnapshot& b, const ResourceStatsSnapshot& c)) {
  ResourceStatsSnapshot left = a;
  left.merge(b).merge(c);
  ResourceStatsSnapshot right = c;
  right.merge(b).merge(a);
  RC_ASSERT(left == right);
}

RC_GTEST_PROP(ResourceStatsLaws, EmptyIsNeutral, (const ResourceStatsSnapshot& some)) {
  ResourceStatsSnapshot merged = some;
  merged.merge(ResourceStatsSnapshot::empty());
  RC_ASSERT(merged == some);
}

}  // namespace
}  // namespace bursar
