#include <bursar/report/resource_metrics.h>

#include "unit/report/exposition.h"
#include "unit/report/sample_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace bursar {
namespace {

using test::Exposition;
using test::sample_report;
using testing::IsEmpty;

Exposition metrics_of(const ResourceReport& report, ExpositionFormat format = ExpositionFormat::PrometheusText) {
  std::string text;
  ExpositionWriter writer(text, format);
  write_resource_metrics(report, report.unattributed_cpu_nanos(), writer);
  writer.end();
  return Exposition::parse(text, format);
}

TEST(ResourceMetrics, HasEveryFamilyOfWhichTheFigureIsKnown) {
  const Exposition metrics = metrics_of(sample_report());
  EXPECT_THAT(metrics.errors, IsEmpty());
  std::vector<std::string> names;
  for (const auto& [name, family] : metrics.families) {
    names.push_back(name + " " + family.type);
    EXPECT_FALSE(family.help.empty()) << name;
    EXPECT_FALSE(family.samples.empty()) << name;
  }
  EXPECT_EQ(names, (std::vector<std::string>{
                       "bursar_allocator_installed gauge",
                       "bursar_cgroup_working_set_bytes gauge",
                       "bursar_component_firm_limit_bytes gauge",
                       "bursar_component_minimum_required_bytes gauge",
                       "bursar_cpu_unattributed_seconds_total counter",
                       "bursar_foreign_blocks_total counter",
                       "bursar_group_allocated_bytes_total counter",
                       "bursar_group_allocated_objects_total counter",
                       "bursar_group_cpu_seconds_total counter",
                       "bursar_group_deallocated_bytes_total counter",
                       "bursar_group_deallocated_objects_total counter",
                       "bursar_group_entries_total counter",
                       "bursar_group_live_bytes gauge",
                       "bursar_group_live_objects gauge",
                       "bursar_group_peak_live_bytes gauge",
                       "bursar_limiter_backoff_seconds gauge",
                       "bursar_limiter_events_total counter",
                       "bursar_limiter_failed_readings_total counter",
                       "bursar_limiter_looks_total counter",
                       "bursar_limiter_state gauge",
                       "bursar_limiter_waits_total counter",
                       "bursar_memory_effective_limit_bytes gauge",
                       "bursar_memory_limit_bytes gauge",
                       "bursar_process_resident_bytes gauge",
                       "bursar_rejected_groups_total counter",
                       "bursar_stale_tokens_total counter",
                       "bursar_unattributed_bytes gauge",
                   }));
}

TEST(ResourceMetrics, TellsTheFiguresOfEachGroup) {
  const Exposition metrics = metrics_of(sample_report());
  const std::string udp = "topology.sources.udp";
  EXPECT_EQ(metrics.value_of("bursar_group_allocated_bytes_total", "group", udp), "3774873");
  EXPECT_EQ(metrics.value_of("bursar_group_allocated_objects_total", "group", udp), "3702");
  EXPECT_EQ(metrics.value_of("bursar_group_deallocated_bytes_total", "group", udp), "2516582");
  EXPECT_EQ(metrics.value_of("bursar_group_deallocated_objects_total", "group", udp), "2468");
  EXPECT_EQ(metrics.value_of("bursar_group_live_bytes", "group", udp), "1258291");
  EXPECT_EQ(metrics.value_of("bursar_group_live_objects", "group", udp), "1234");
  EXPECT_EQ(metrics.value_of("bursar_group_cpu_seconds_total", "group", udp), "0.123");
  EXPECT_EQ(metrics.value_of("bursar_group_peak_live_bytes", "group", udp), "2516582");
  EXPECT_EQ(metrics.value_of("bursar_group_entries_total", "group", udp), "2468");
  EXPECT_EQ(metrics.value_of("bursar_group_live_bytes", "group", "root"), "2097152");
  EXPECT_EQ(metrics.value_of("bursar_group_live_bytes", "group", "plugin"), "4000");
  EXPECT_EQ(metrics.value_of("bursar_group_live_bytes", "group", "topology.sources.tcp"), "")
      << "a component without a group has no figures";
}

TEST(ResourceMetrics, TellsTheBoundsOfEachComponentItself) {
  const Exposition metrics = metrics_of(sample_report());
  EXPECT_EQ(metrics.value_of("bursar_component_minimum_required_bytes", "component", "topology.sources.udp"), "524288");
  EXPECT_EQ(metrics.value_of("bursar_component_firm_limit_bytes", "component", "topology.sources.udp"), "3670016");
  EXPECT_EQ(metrics.value_of("bursar_component_firm_limit_bytes", "component", "topology"), "0");
  EXPECT_EQ(metrics.value_of("bursar_component_firm_limit_bytes", "component", "plugin"), "");
}

TEST(ResourceMetrics, TellsProcessLimitsAndLimiter) {
  const Exposition metrics = metrics_of(sample_report());
  EXPECT_EQ(metrics.value_of("bursar_process_resident_bytes"), "33554432");
  EXPECT_EQ(metrics.value_of("bursar_unattributed_bytes"), std::to_string(*sample_report().unattributed_bytes()));
  EXPECT_EQ(metrics.value_of("bursar_cgroup_working_set_bytes"), "41943040");
  EXPECT_EQ(metrics.value_of("bursar_cpu_unattributed_seconds_total"), "0.06399");
  EXPECT_EQ(metrics.value_of("bursar_memory_limit_bytes"), "67108864");
  EXPECT_EQ(metrics.value_of("bursar_memory_effective_limit_bytes"), "50331648");
  EXPECT_EQ(metrics.value_of("bursar_limiter_backoff_seconds"), "0.0015");
  EXPECT_EQ(metrics.value_of("bursar_limiter_state"), "1");
  EXPECT_EQ(metrics.value_of("bursar_limiter_waits_total"), "12345");
  EXPECT_EQ(metrics.value_of("bursar_limiter_failed_readings_total"), "1");
  EXPECT_EQ(metrics.value_of("bursar_limiter_looks_total"), "54321");
  EXPECT_EQ(metrics.value_of("bursar_limiter_events_total"), "7");
  EXPECT_EQ(metrics.value_of("bursar_stale_tokens_total"), "2");
  EXPECT_EQ(metrics.value_of("bursar_allocator_installed"), "1");
}

TEST(ResourceMetrics, TellsTheBreachesOfEachComponentThatIsWatched) {
  ResourceReport report = sample_report();
  report.bound_standings["api"] = {.limit_bytes = 100};
  report.bound_standings["topology.sources.udp"] = {.limit_bytes = 100, .breaches = 3};
  const Exposition metrics = metrics_of(report);
  EXPECT_THAT(metrics.errors, IsEmpty());
  EXPECT_EQ(metrics.value_of("bursar_component_bound_breaches_total", "component", "api"), "0");
  EXPECT_EQ(metrics.value_of("bursar_component_bound_breaches_total", "component", "topology.sources.udp"), "3");
}

TEST(ResourceMetrics, LeavesOutWhatIsNotKnown) {
  auto report = sample_report();
  report.process = {};
  report.grant.reset();
  report.limiter.reset();
  const Exposition metrics = metrics_of(report);
  EXPECT_THAT(metrics.errors, IsEmpty());
  for (const char* name :
       {"bursar_process_resident_bytes", "bursar_unattributed_bytes", "bursar_cgroup_working_set_bytes",
        "bursar_cpu_unattributed_seconds_total", "bursar_memory_limit_bytes", "bursar_memory_effective_limit_bytes",
        "bursar_limiter_backoff_seconds", "bursar_limiter_state", "bursar_limiter_waits_total",
        "bursar_component_bound_breaches_total"}) {
    EXPECT_FALSE(metrics.families.contains(name)) << name;
  }
}

TEST(ResourceMetrics, SaysTheSameInOpenMetrics) {
  const Exposition prometheus = metrics_of(sample_report());
  const Exposition open_metrics = metrics_of(sample_report(), ExpositionFormat::OpenMetrics);
  EXPECT_THAT(open_metrics.errors, IsEmpty());
  ASSERT_EQ(open_metrics.families.size(), prometheus.families.size());
  for (const auto& [name, family] : open_metrics.families) {
    const bool counter = family.type == "counter";
    const auto& same = prometheus.families.at(counter ? name + "_total" : name);
    ASSERT_EQ(family.samples.size(), same.samples.size()) << name;
    for (std::size_t index = 0; index < same.samples.size(); ++index) {
      EXPECT_EQ(family.samples[index].name, same.samples[index].name);
      EXPECT_EQ(family.samples[index].labels, same.samples[index].labels);
      EXPECT_EQ(family.samples[index].value, same.samples[index].value);
    }
  }
}

TEST(ResourceMetrics, AddsUpGroupsWhoseNamesLookAlike) {
  auto report = sample_report();
  report.groups.other_groups = {{.name = "bad\xfe", .usage = test::usage(100, 1, 0)},
                                {.name = "bad\xff", .usage = test::usage(20, 1, 0)}};
  const Exposition metrics = metrics_of(report);
  EXPECT_THAT(metrics.errors, IsEmpty());
  EXPECT_EQ(metrics.value_of("bursar_group_live_bytes", "group", "bad\uFFFD"), "120");
}

}  // namespace
}  // namespace bursar
