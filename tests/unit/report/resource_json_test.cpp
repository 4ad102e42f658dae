#include <bursar/report/resource_json.h>

#include "unit/report/sample_report.h"

#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace bursar {
namespace {

using Json = nlohmann::json;
using test::sample_report;

constexpr std::uint64_t kMiB = 1024 * 1024;

Json resources(const ResourceReport& report, std::optional<AllocatorReading> allocator = std::nullopt) {
  return Json::parse(resources_json(report, allocator));
}

TEST(ResourceJson, TellsTheLadderAndWhatLiesBetweenItsRungs) {
  const auto report = sample_report();
  const std::uint64_t live = report.total_usage().live_bytes();
  const AllocatorReading allocator{.footprint_bytes = 30 * kMiB, .in_use_bytes = 25 * kMiB};
  const Json expected{
      {"declared", {{"minimum_required_bytes", 1'703'936}, {"firm_limit_bytes", 22 * kMiB}}},
      {"live_bytes", live},
      {"allocator", {{"in_use_bytes", 25 * kMiB}, {"footprint_bytes", 30 * kMiB}}},
      {"resident_bytes", 32 * kMiB},
      {"cgroup", {{"working_set_bytes", 40 * kMiB}, {"usage_bytes", 50 * kMiB}}},
      {"limit", {{"cgroup_bytes", 128 * kMiB}, {"granted_bytes", 64 * kMiB}, {"effective_bytes", 48 * kMiB}}},
      {"unexplained",
       {{"allocator_overhead_bytes", 25 * kMiB - live},
        {"allocator_unused_bytes", 5 * kMiB},
        {"beyond_allocator_bytes", 2 * kMiB},
        {"unattributed_bytes", 32 * kMiB - live}}}};
  EXPECT_EQ(resources(report, allocator).at("ladder"), expected);
}

TEST(ResourceJson, ARungMayBeLowerThanTheOneBefore) {
  const AllocatorReading allocator{.footprint_bytes = 40 * kMiB, .in_use_bytes = 25 * kMiB};
  EXPECT_EQ(resources(sample_report(), allocator)["ladder"]["unexplained"]["beyond_allocator_bytes"],
            -8 * static_cast<std::int64_t>(kMiB));
}

TEST(ResourceJson, WhatIsNotKnownIsNull) {
  auto report = sample_report();
  report.process = {};
  report.grant.reset();
  report.limiter.reset();
  const Json json = resources(report);
  EXPECT_TRUE(json.at("limiter").is_null());
  EXPECT_TRUE(json.at("grant").is_null());
  EXPECT_TRUE(json.at("cpu").at("process_seconds").is_null());
  EXPECT_TRUE(json.at("cpu").at("unattributed_seconds").is_null());
  const Json& ladder = json.at("ladder");
  EXPECT_TRUE(ladder.at("allocator").at("footprint_bytes").is_null());
  EXPECT_TRUE(ladder.at("resident_bytes").is_null());
  EXPECT_TRUE(ladder.at("cgroup").at("working_set_bytes").is_null());
  EXPECT_TRUE(ladder.at("limit").at("granted_bytes").is_null());
  for (const auto& [name, value] : ladder.at("unexplained").items()) {
    EXPECT_TRUE(value.is_null()) << name;
  }
}

TEST(ResourceJson, TellsTheTreeWithOwnAndRolledUpFigures) {
  const Json root = resources(sample_report()).at("root");
  EXPECT_EQ(root.at("full_name"), "root");
  const Json& topology = root.at("subcomponents").at(1);
  EXPECT_EQ(topology.at("name"), "topology");
  EXPECT_EQ(topology.at("own"), Json({{"minimum_required_bytes", 0},
                                      {"firm_limit_bytes", 0},
                                      {"limit_bytes", 0},
                                      {"live_bytes", nullptr},
                                      {"live_objects", nullptr},
                                      {"allocated_bytes", nullptr},
                                      {"allocated_objects", nullptr},
                                      {"deallocated_bytes", nullptr},
                                      {"deallocated_objects", nullptr},
                                      {"cpu_seconds", nullptr},
                                      {"cpu_share", nullptr},
                                      {"peak_live_bytes", nullptr},
                                      {"entries", nullptr},
                                      {"bound_breaches", nullptr}}));
  EXPECT_EQ(topology.at("total").at("firm_limit_bytes"), 21 * kMiB);
  EXPECT_EQ(topology.at("total").at("live_bytes"), 1'258'291 + 18 * kMiB);
  EXPECT_DOUBLE_EQ(topology.at("total").at("cpu_seconds").get<double>(), 0.635);
  const Json& udp = topology.at("subcomponents").at(0).at("subcomponents").at(1);
  EXPECT_EQ(udp.at("full_name"), "topology.sources.udp");
  EXPECT_EQ(udp.at("own").at("firm_limit_bytes"), 3584 * 1024);
  EXPECT_EQ(udp.at("own").at("limit_bytes"), udp.at("total").at("firm_limit_bytes"));
  EXPECT_EQ(udp.at("own").at("live_bytes"), udp.at("total").at("live_bytes"));
  EXPECT_EQ(udp.at("own").at("cpu_seconds"), udp.at("total").at("cpu_seconds"));
  EXPECT_EQ(udp.at("own").at("allocated_objects"), 3'702);
}

TEST(ResourceJson, TellsOfBreachesWhereTheyAreWatched) {
  ResourceReport report = sample_report();
  report.bound_standings["topology.transforms.aggregate"] = {
      .limit_bytes = 16 * kMiB, .breaches = 2, .in_breach = true, .worst_live_bytes = 19 * kMiB};
  const Json root = resources(report).at("root");
  EXPECT_TRUE(root.at("subcomponents").at(0).at("own").at("bound_breaches").is_null());
  const Json& aggregate = root.at("subcomponents").at(1).at("subcomponents").at(1).at("subcomponents").at(0);
  EXPECT_EQ(aggregate.at("own").at("bound_breaches"),
            Json({{"count", 2}, {"now", true}, {"worst_live_bytes", 19 * kMiB}}));
}

TEST(ResourceJson, AddsUpToTheLadder) {
  const Json json = resources(sample_report());
  std::uint64_t live = json.at("root").at("total").at("live_bytes");
  for (const Json& group : json.at("other_groups")) {
    live += group.at("live_bytes").get<std::uint64_t>();
  }
  EXPECT_EQ(live, json.at("ladder").at("live_bytes"));
}

TEST(ResourceJson, TellsTheRest) {
  const Json json = resources(sample_report());
  EXPECT_DOUBLE_EQ(json.at("time").get<double>(), 1'700'000'000.25);
  EXPECT_EQ(json.at("tracking"),
            Json({{"allocator_installed", true}, {"foreign_blocks", 0}, {"stale_tokens", 2}, {"rejected_groups", 0}}));
  EXPECT_EQ(json.at("limiter"), Json({{"mode", "on"},
                                      {"state", "soft"},
                                      {"sheds", false},
                                      {"backoff_seconds", 0.0015},
                                      {"usage_bytes", 32 * kMiB},
                                      {"effective_limit_bytes", 48 * kMiB},
                                      {"waits", 12'345},
                                      {"failed_readings", 1},
                                      {"looks", 54'321},
                                      {"events",
                                       {{{"sequence", 7},
                                         {"time", 1'700'000'000.0},
                                         {"kind", "state_changed"},
                                         {"before", "normal"},
                                         {"state", "soft"},
                                         {"usage_bytes", 46 * kMiB},
                                         {"limit_bytes", 48 * kMiB},
                                         {"backoff_seconds", 0.0025},
                                         {"freed_bytes", 0},
                                         {"message", ""}}}}}));
  EXPECT_EQ(json.at("grant"),
            Json({{"initial_limit_bytes", 64 * kMiB}, {"slop_factor", 0.25}, {"effective_limit_bytes", 48 * kMiB}}));
  EXPECT_DOUBLE_EQ(json.at("cpu").at("process_seconds").get<double>(), 1.0);
  EXPECT_DOUBLE_EQ(json.at("cpu").at("attributed_seconds").get<double>(), 0.93601);
  EXPECT_DOUBLE_EQ(json.at("cpu").at("unattributed_seconds").get<double>(), 0.06399);
  EXPECT_EQ(json.at("cpu").at("clock"), "fit");
  EXPECT_EQ(json.at("cpu").at("clock_reason"), "a reason");
  EXPECT_EQ(json.at("other_groups").at(0).at("full_name"), "plugin");
  EXPECT_EQ(json.at("retired").at("allocated_bytes"), 500);
  EXPECT_EQ(json.at("retired").at("live_bytes"), 0);
}

TEST(ResourceJson, WithoutAnEarlierReportSharesOfCpuAreNotKnown) {
  const Json json = resources(sample_report());
  EXPECT_TRUE(json.at("cpu").at("process_share").is_null());
  EXPECT_TRUE(json.at("cpu").at("share_window_seconds").is_null());
  EXPECT_TRUE(json.at("root").at("own").at("cpu_share").is_null());
  EXPECT_TRUE(json.at("root").at("total").at("cpu_share").is_null());
  EXPECT_TRUE(json.at("other_groups").at(0).at("cpu_share").is_null());
}

TEST(ResourceJson, TellsTheShareOfCpuSinceAnEarlierReport) {
  const ResourceReport before = sample_report();
  ResourceReport now = before;
  // Of a second and a half: root 150 ms, `api` 300 ms and a group that is no component's 75 ms.
  now.groups.root.usage->cpu_time_nanos += 150'000'000;
  now.groups.root.subcomponents[0].usage->cpu_time_nanos += 300'000'000;
  now.groups.other_groups[0].usage.cpu_time_nanos += 75'000'000;
  *now.process.cpu_time_nanos += 600'000'000;
  const EarlierReport earlier{.report = before, .elapsed = std::chrono::milliseconds(1'500)};
  const Json json = Json::parse(resources_json(now, std::nullopt, &earlier));
  EXPECT_EQ(json["cpu"]["share_window_seconds"], 1.5);
  EXPECT_EQ(json["cpu"]["process_share"], 0.4);
  EXPECT_EQ(json["root"]["own"]["cpu_share"], 0.1);
  EXPECT_EQ(json["root"]["subcomponents"][0]["own"]["cpu_share"], 0.2);
  EXPECT_NEAR(json["root"]["total"]["cpu_share"].get<double>(), 0.3, 1e-9);
  EXPECT_EQ(json["other_groups"][0]["cpu_share"], 0.05);
  const Json& sources = json["root"]["subcomponents"][1]["subcomponents"][0];
  EXPECT_TRUE(sources["own"]["cpu_share"].is_null()) << "it has no group";
  EXPECT_EQ(sources["total"]["cpu_share"], 0.0);
}

}  // namespace
}  // namespace bursar
