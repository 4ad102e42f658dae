#include <bursar/registry/memory_settings.h>

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace bursar {
namespace {

using Variables = std::map<std::string, std::string>;

// Sources whose control group has the given limit; 0: none.
MemorySources sources_of(Variables variables, std::uint64_t cgroup_limit = 0) {
  return {
      .environment = [variables = std::move(variables)](const char* name) -> std::optional<std::string> {
        const auto found = variables.find(name);
        if (found == variables.end()) return std::nullopt;
        return found->second;
      },
      .detect =
          [cgroup_limit] {
            DetectedMemoryLimit detected;
            if (cgroup_limit != 0)
              detected.hard = CgroupLimit{cgroup_limit, "/cgroup/memory.max", {CgroupVersion::V2, "/cgroup"}};
            detected.warnings = {"a warning"};
            return detected;
          },
  };
}

TEST(MemorySettings, AFlagWinsOverTheEnvironmentAndThatOverTheCgroup) {
  const Variables variables = {{"BURSAR_MEMORY_LIMIT", "2MiB"}};
  const auto by_flag = resolve_memory_settings({}, {.limit = "1MiB"}, sources_of(variables, 3 << 20));
  EXPECT_EQ(by_flag->limit_bytes, 1U << 20);
  EXPECT_EQ(by_flag->limit_source, "--memory-limit");
  const auto by_variable = resolve_memory_settings({}, {}, sources_of(variables, 3 << 20));
  EXPECT_EQ(by_variable->limit_bytes, 2U << 20);
  EXPECT_EQ(by_variable->limit_source, "BURSAR_MEMORY_LIMIT");
  EXPECT_TRUE(by_variable->warnings.empty());
  const auto by_cgroup = resolve_memory_settings({}, {}, sources_of({}, 3 << 20));
  EXPECT_EQ(by_cgroup->limit_bytes, 3U << 20);
  EXPECT_EQ(by_cgroup->limit_source, "/cgroup/memory.max");
  EXPECT_EQ(by_cgroup->limit_group->directory, "/cgroup");
  EXPECT_EQ(by_cgroup->warnings.size(), 1U);
}

TEST(MemorySettings, WithoutAnyLimitThereIsNone) {
  const auto settings = resolve_memory_settings({}, {}, sources_of({}));
  ASSERT_TRUE(settings.has_value());
  EXPECT_FALSE(settings->limit_bytes.has_value());
  EXPECT_EQ(settings->mode, MemoryMode::Permissive);
  EXPECT_EQ(settings->limiter, LimiterMode::On);
  EXPECT_EQ(settings->slop_factor, 0.25);
}

TEST(MemorySettings, TheEnvironmentGivesWhatNoFlagDoes) {
  const auto settings = resolve_memory_settings(
      {}, {.mode = "strict"},
      sources_of(
          {{"BURSAR_MEMORY_MODE", "disabled"}, {"BURSAR_MEMORY_SLOP_FACTOR", "0"}, {"BURSAR_LIMITER", "observe"}}));
  ASSERT_TRUE(settings.has_value());
  EXPECT_EQ(settings->mode, MemoryMode::Strict);
  EXPECT_EQ(settings->slop_factor, 0);
  EXPECT_EQ(settings->limiter, LimiterMode::Observe);
}

TEST(MemorySettings, AnEmptyVariableIsNone) {
  EXPECT_TRUE(resolve_memory_settings({}, {}, sources_of({{"BURSAR_MEMORY_MODE", ""}})).has_value());
}

TEST(MemorySettings, DisabledTurnsTheLimiterOff) {
  const auto settings = resolve_memory_settings({}, {.mode = "disabled", .limiter = "on"}, sources_of({}, 1 << 20));
  EXPECT_EQ(settings->limiter, LimiterMode::Off);
  EXPECT_FALSE(settings->limit_bytes.has_value());
}

TEST(MemorySettings, CodeWinsOverAFlag) {
  const auto settings = resolve_memory_settings(
      {.limit_bytes = 4096, .slop_factor = 0.5, .mode = MemoryMode::Strict, .limiter = LimiterMode::Off},
      {.limit = "1MiB", .slop_factor = "0.1", .mode = "permissive", .limiter = "on"}, sources_of({}));
  ASSERT_TRUE(settings.has_value());
  EXPECT_EQ(settings->limit_bytes, 4096U);
  EXPECT_EQ(settings->limit_source, "the program");
  EXPECT_EQ(settings->slop_factor, 0.5);
  EXPECT_EQ(settings->mode, MemoryMode::Strict);
  EXPECT_EQ(settings->limiter, LimiterMode::Off);
}

TEST(MemorySettings, ALimitAboveThatOfTheControlGroupIsWarnedOf) {
  const auto settings = resolve_memory_settings({}, {.limit = "4MiB"}, sources_of({}, 3 << 20));
  EXPECT_EQ(settings->limit_bytes, 4U << 20);
  ASSERT_EQ(settings->warnings.size(), 1U);
  EXPECT_NE(settings->warnings[0].find("/cgroup/memory.max"), std::string::npos);
}

TEST(MemorySettings, AGuestTakesTheDefaultForABadVariableAndWarnsOnceOfEach) {
  const auto settings = resolve_memory_settings(
      {}, {}, sources_of({{"BURSAR_MEMORY_LIMIT", "1MiB"}, {"BURSAR_MEMORY_MODE", "x"}, {"BURSAR_LIMITER", "y"}}),
      BadVariable::TakesTheDefault);
  ASSERT_TRUE(settings.has_value());
  EXPECT_EQ(settings->limit_bytes, 1U << 20);
  EXPECT_EQ(settings->mode, MemoryMode::Permissive);
  EXPECT_EQ(settings->limiter, LimiterMode::On);
  ASSERT_EQ(settings->warnings.size(), 2U);
  EXPECT_TRUE(settings->warnings[0].starts_with("BURSAR_MEMORY_MODE: \"x\"")) << settings->warnings[0];
  EXPECT_TRUE(settings->warnings[1].starts_with("BURSAR_LIMITER: \"y\"")) << settings->warnings[1];
}

TEST(MemorySettings, ABadFlagIsAnErrorEvenForAGuest) {
  EXPECT_FALSE(resolve_memory_settings({}, {.mode = "x"}, sources_of({}), BadVariable::TakesTheDefault).has_value());
}

TEST(MemorySettings, BadValuesAreErrorsThatNameWhoGaveThem) {
  const auto error_of = [](const MemoryFlags& flags, const Variables& variables = {}) {
    const auto settings = resolve_memory_settings({}, flags, sources_of(variables));
    return settings ? "no error" : settings.error();
  };
  const auto expect = [&](const std::string& error, const char* who, const char* value) {
    EXPECT_TRUE(error.starts_with(who)) << error;
    EXPECT_NE(error.find(value), std::string::npos) << error;
    EXPECT_EQ(error.find('\n'), std::string::npos) << error;
  };
  expect(error_of({.limit = "much"}), "--memory-limit", "much");
  expect(error_of({.limit = "0"}), "--memory-limit", "0");
  expect(error_of({.limit = "9PiB"}), "--memory-limit", "9PiB");
  expect(error_of({.slop_factor = "1"}), "--memory-slop-factor", "1");
  expect(error_of({.slop_factor = "-0.1"}), "--memory-slop-factor", "-0.1");
  expect(error_of({.slop_factor = "nan"}), "--memory-slop-factor", "nan");
  expect(error_of({.mode = "lax"}), "--memory-mode", "lax");
  expect(error_of({.limiter = "perhaps"}), "--limiter", "perhaps");
  expect(error_of({}, {{"BURSAR_MEMORY_LIMIT", "x"}}), "BURSAR_MEMORY_LIMIT", "x");
  expect(error_of({}, {{"BURSAR_MEMORY_SLOP_FACTOR", "2"}}), "BURSAR_MEMORY_SLOP_FACTOR", "2");
  expect(error_of({}, {{"BURSAR_MEMORY_MODE", "x"}}), "BURSAR_MEMORY_MODE", "x");
  expect(error_of({}, {{"BURSAR_LIMITER", "x"}}), "BURSAR_LIMITER", "x");
}

}  // namespace
}  // namespace bursar
