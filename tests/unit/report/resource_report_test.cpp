#include <bursar/report/resource_report.h>

#include "unit/report/sample_report.h"

#include <bursar/alloc/tracking_resource.h>
#include <bursar/registry/component_registry.h>

#include <gtest/gtest.h>

#include <chrono>
#include <memory_resource>
#include <optional>
#include <vector>

namespace bursar {
namespace {

using test::sample_report;

TEST(ResourceReport, TotalsAddUpComponentsOtherGroupsAndTheRetired) {
  const auto report = sample_report();
  const auto total = report.total_usage();
  EXPECT_EQ(total.live_bytes(), (2U << 20) + 70'000 + 1'258'291 + (18U << 20) + 4'000);
  EXPECT_EQ(total.cpu_time_nanos, 300'000'000U + 1'000'000 + 123'000'000 + 512'000'000 + 1'000 + 9'000);
}

TEST(ResourceReport, UnattributedIsWhatTheGroupsDoNotAccountFor) {
  const auto report = sample_report();
  EXPECT_EQ(report.unattributed_bytes(), (32U << 20) - report.total_usage().live_bytes());
  EXPECT_EQ(report.unattributed_cpu_nanos(), 1'000'000'000U - report.total_usage().cpu_time_nanos);
}

TEST(ResourceReport, UnattributedIsNeverNegative) {
  auto report = sample_report();
  report.process.resident_bytes = 1000;
  report.process.cpu_time_nanos = 1000;
  EXPECT_EQ(report.unattributed_bytes(), 0U);
  EXPECT_EQ(report.unattributed_cpu_nanos(), 0U);
}

TEST(ResourceReport, UnattributedIsUnknownWhereTheProcessIs) {
  auto report = sample_report();
  report.process = {};
  EXPECT_FALSE(report.unattributed_bytes().has_value());
  EXPECT_FALSE(report.unattributed_cpu_nanos().has_value());
}

TEST(ResourceReport, IsTakenFromTheRealBooks) {
  const ComponentRegistry registry;
  const ComponentRegistry component = registry.get_or_create("report_test.taken");
  component.bounds_builder().minimum().with_fixed_amount("buffer", 1000);
  TrackingResource memory(component.token());
  std::pmr::vector<char> held(100'000, &memory);

  const auto report = take_resource_report(registry.root(), ProcessSensor());

  const ComponentSnapshot& taken = report.groups.root.subcomponents.front().subcomponents.front();
  EXPECT_EQ(taken.full_name, "report_test.taken");
  EXPECT_EQ(taken.minimum_required_bytes, 1000U);
  ASSERT_TRUE(taken.usage.has_value());
  EXPECT_GE(taken.usage->live_bytes(), held.size());
  EXPECT_GT(report.process.resident_bytes.value_or(0), held.size());
  EXPECT_FALSE(report.grant.has_value());
  EXPECT_FALSE(report.limiter.has_value());
}

TEST(ResourceReport, TakesTheLimitersFigures) {
  using namespace std::chrono_literals;
  MemoryLimiterOptions options;
  options.usage_sensors = {[]() -> std::optional<std::uint64_t> { return 990; }};
  options.policy = [](const MemoryReading&) { return LimiterDecision{.state = LimiterState::Hard, .backoff = 7ms}; };
  options.background_thread = false;
  const auto grant = MemoryGrant::effective(1000).value();
  const auto limiter = MemoryLimiter::create(grant, options);
  ASSERT_TRUE(limiter.has_value());
  static_cast<void>(limiter->poll());
  static_cast<void>(limiter->begin_wait());

  const auto report = take_resource_report(ComponentRegistry().root(), ProcessSensor(), grant, &*limiter);
  ASSERT_TRUE(report.limiter.has_value());
  EXPECT_EQ(report.limiter->state, LimiterState::Hard);
  EXPECT_TRUE(report.limiter->sheds);
  EXPECT_EQ(report.limiter->backoff, 7ms);
  EXPECT_EQ(report.limiter->usage_bytes, 990U);
  EXPECT_EQ(report.limiter->effective_limit_bytes, 1000U);
  EXPECT_EQ(report.limiter->waits, 1U);
  EXPECT_EQ(report.grant->initial_limit_bytes(), 1000U);
}

}  // namespace
}  // namespace bursar
