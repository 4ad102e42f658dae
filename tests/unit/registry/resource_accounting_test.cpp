#include <bursar/alloc/tracking_resource.h>
#include <bursar/base/sanitizer.h>
#include <bursar/registry/resource_accounting.h>

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "unit/groups/child_process.h"
#include "unit/limiter/fake_clock.h"
#include "unit/limiter/temporary_folder.h"

namespace bursar {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMiB = std::size_t{1} << 20;

// A machine in a folder, whose process is in a control group of version 2 with a limit; and the log of the start.
class ResourceAccountingTest : public ::testing::Test {
 protected:
  ResourceAccountingTest() {
    folder_.write("/proc/self/cgroup", "0::/service\n");
    folder_.write("/proc/self/mountinfo", "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    folder_.write("/proc/self/statm", "3000 2560 100 1 0 500 0\n");  // 10 MiB are resident
    folder_.write(kLimitFile, "1073741824\n");
    folder_.write("/sys/fs/cgroup/service/memory.current", "10485760\n");
    folder_.write("/sys/fs/cgroup/service/memory.stat", "inactive_file 0\n");
    component_ = components_.get_or_create("accounted");
    component_.bounds_builder().minimum().with_fixed_amount("least", kMiB);
    component_.bounds_builder().firm().with_fixed_amount("most", kMiB);
  }

  // Nothing of it happens by itself but at the start.
  ResourceAccountingOptions options(std::map<std::string, std::string> variables = {}) {
    ResourceAccountingOptions options;
    options.system_root = folder_.path();
    options.sources = MemorySources::of_process(folder_.path());
    options.sources->environment = [variables = std::move(variables)](const char* name) {
      const auto found = variables.find(name);
      return found == variables.end() ? std::nullopt : std::optional(found->second);
    };
    options.breach_check_interval = 0ms;
    options.limiter.background_thread = false;
    options.limiter.listens_for_stalls = false;
    options.limiter.purge = std::function<void()>();
    options.log = [this](LogLevel level, std::string_view line) {
      const std::lock_guard lock(mutex_);
      log_.push_back((level == LogLevel::Warning ? "warning: " : "") + std::string(line));
    };
    return options;
  }

  std::expected<ResourceAccounting, std::string> start(std::map<std::string, std::string> variables = {}) {
    return ResourceAccounting::start(components_.root(), options(std::move(variables)));
  }

  bool logged(std::string_view text) {
    const std::lock_guard lock(mutex_);
    return std::ranges::any_of(log_, [&](const std::string& line) { return line.find(text) != std::string::npos; });
  }

  static constexpr const char* kLimitFile = "/sys/fs/cgroup/service/memory.max";

  TemporaryFolder folder_;
  ComponentRegistry components_;
  ComponentRegistry component_;
  std::mutex mutex_;
  std::vector<std::string> log_;
};

TEST_F(ResourceAccountingTest, FindsTheLimitSaysWhereItIsFromVerifiesTheBoundsAndLimits) {
  const auto accounting = start();
  ASSERT_TRUE(accounting.has_value()) << accounting.error();
  EXPECT_EQ(accounting->grant()->initial_limit_bytes(), 1U << 30);
  EXPECT_EQ(accounting->grant()->effective_limit_bytes(), 768U << 20);
  EXPECT_EQ(accounting->verified_bounds()->total_firm_limit_bytes(), 2 * kMiB);
  EXPECT_EQ(accounting->limiter().mode(), LimiterMode::On);
  EXPECT_EQ(accounting->limiter().usage_bytes(), 10 * kMiB);
  EXPECT_EQ(accounting->limiter().effective_limit_bytes(), 768U << 20);
  EXPECT_TRUE(logged("memory limit 1 GiB from " + folder_.path() + kLimitFile)) << log_.front();
  EXPECT_TRUE(logged("accounted: minimum 1 MiB, firm 2 MiB"));
  EXPECT_TRUE(accounting->warnings().empty()) << accounting->warnings().front();
}

TEST_F(ResourceAccountingTest, WhatItAnswersStaysWhereItIsWhenItIsMoved) {
  auto accounting = start();
  ASSERT_TRUE(accounting.has_value());
  const MemoryLimiter* const limiter = &accounting->limiter();
  const ResourceAccounting moved = *std::move(accounting);
  EXPECT_EQ(&moved.limiter(), limiter);
  EXPECT_EQ(moved.limiter().mode(), LimiterMode::On);
}

TEST_F(ResourceAccountingTest, StrictRefusesBoundsThatDoNotFit) {
  const auto accounting = start({{"BURSAR_MEMORY_LIMIT", "1MiB"}, {"BURSAR_MEMORY_MODE", "strict"}});
  ASSERT_FALSE(accounting.has_value());
  EXPECT_NE(accounting.error().find("768 KiB"), std::string::npos) << accounting.error();
  EXPECT_EQ(accounting.error().find('\n'), std::string::npos);
}

TEST_F(ResourceAccountingTest, PermissiveWarnsOfThemAndLimits) {
  const auto accounting = start({{"BURSAR_MEMORY_LIMIT", "1MiB"}});
  ASSERT_TRUE(accounting.has_value());
  EXPECT_FALSE(accounting->verified_bounds().has_value());
  EXPECT_NE(accounting->limiter().mode(), LimiterMode::Off);
  EXPECT_TRUE(logged("warning: ") && logged("going on, since the memory mode is permissive"));
}

TEST_F(ResourceAccountingTest, DisabledNeitherVerifiesNorLimitsButWatchesBounds) {
  const auto accounting = start({{"BURSAR_MEMORY_LIMIT", "1MiB"}, {"BURSAR_MEMORY_MODE", "disabled"}});
  ASSERT_TRUE(accounting.has_value());
  EXPECT_EQ(accounting->limiter().mode(), LimiterMode::Off);
  EXPECT_FALSE(accounting->grant().has_value());
  TrackingResource resource(component_.token());
  void* const block = resource.allocate(4 * kMiB);
  accounting->bound_watch().check();
  resource.deallocate(block, 4 * kMiB);
  EXPECT_EQ(accounting->bound_watch().standings().at("accounted").breaches, 1U);
  EXPECT_TRUE(logged("warning: component \"accounted\" holds 4"));
}

TEST_F(ResourceAccountingTest, ObserveLimitsNobody) {
  const auto accounting = start({{"BURSAR_LIMITER", "observe"}, {"BURSAR_MEMORY_LIMIT", "4MiB"}});
  ASSERT_TRUE(accounting.has_value());
  EXPECT_EQ(accounting->limiter().state(), LimiterState::Hard);
  EXPECT_FALSE(accounting->limiter().should_shed());
}

// A program of Bursar's ends with the one line; a guest goes on.
TEST_F(ResourceAccountingTest, ABadVariableIsAnErrorOrForAGuestOneWarning) {
  const auto refused = start({{"BURSAR_MEMORY_MODE", "lax"}});
  ASSERT_FALSE(refused.has_value());
  EXPECT_TRUE(refused.error().starts_with("BURSAR_MEMORY_MODE: \"lax\"")) << refused.error();
  ResourceAccountingOptions guest = options({{"BURSAR_MEMORY_MODE", "lax"}});
  guest.bad_variable = BadVariable::TakesTheDefault;
  const auto accounting = ResourceAccounting::start(components_.root(), std::move(guest));
  ASSERT_TRUE(accounting.has_value());
  EXPECT_EQ(accounting->settings().mode, MemoryMode::Permissive);
  EXPECT_EQ(accounting->warnings().size(), 1U);
}

TEST_F(ResourceAccountingTest, WithoutALimitNothingIsLimited) {
  folder_.write(kLimitFile, "max\n");
  const auto accounting = start();
  ASSERT_TRUE(accounting.has_value());
  EXPECT_EQ(accounting->limiter().mode(), LimiterMode::Off);
  EXPECT_TRUE(logged("no memory limit"));
  EXPECT_TRUE(accounting->warnings().empty());
}

TEST_F(ResourceAccountingTest, GarbageInTheLimitFileIsWarnedOfAndLimitsNobody) {
  folder_.write(kLimitFile, "plenty\n");
  const auto accounting = start();
  ASSERT_TRUE(accounting.has_value());
  EXPECT_EQ(accounting->limiter().mode(), LimiterMode::Off);
  ASSERT_EQ(accounting->warnings().size(), 1U);
  EXPECT_NE(accounting->warnings()[0].find("plenty"), std::string::npos) << accounting->warnings()[0];
}

// For root no permission is denied; a folder in the file's place cannot be read by anybody.
TEST_F(ResourceAccountingTest, ALimitFileThatCannotBeReadIsWarnedOfAndLimitsNobody) {
  std::filesystem::remove(folder_.path() + kLimitFile);
  std::filesystem::create_directory(folder_.path() + kLimitFile);
  const auto accounting = start();
  ASSERT_TRUE(accounting.has_value());
  EXPECT_EQ(accounting->limiter().mode(), LimiterMode::Off);
  ASSERT_FALSE(accounting->warnings().empty());
  EXPECT_NE(accounting->warnings()[0].find("memory.max"), std::string::npos) << accounting->warnings()[0];
}

TEST_F(ResourceAccountingTest, WithoutAProcThereIsNoLimiterAndStrictRefusesOneThatCannotMeasure) {
  std::filesystem::remove_all(folder_.path() + "/proc");
  EXPECT_TRUE(start().has_value());
  EXPECT_TRUE(start({{"BURSAR_MEMORY_LIMIT", "1GiB"}}).has_value());
  EXPECT_TRUE(logged("no memory limiter: "));
  const auto strict = start({{"BURSAR_MEMORY_LIMIT", "1GiB"}, {"BURSAR_MEMORY_MODE", "strict"}});
  ASSERT_FALSE(strict.has_value());
  EXPECT_TRUE(strict.error().starts_with("no memory limiter: ")) << strict.error();
}

TEST_F(ResourceAccountingTest, ALimitBelowWhatIsUsedAlreadyIsToldOfAndStopsNobodyForEver) {
  const auto accounting = start({{"BURSAR_MEMORY_LIMIT", "4MiB"}});
  ASSERT_TRUE(accounting.has_value());
  EXPECT_EQ(accounting->limiter().state(), LimiterState::Hard);
  const auto before = std::chrono::steady_clock::now();
  accounting->limiter().wait_for_capacity();
  EXPECT_LT(std::chrono::steady_clock::now() - before, 5s);
  const std::vector<LimiterEvent> events = accounting->limiter().events();
  EXPECT_TRUE(std::ranges::any_of(events, [](const LimiterEvent& event) {
    return event.kind == LimiterEventKind::Notice && event.message.find("10 MiB already") != std::string::npos;
  }));
}

TEST_F(ResourceAccountingTest, ALimitThatVanishesLaterCountsOn) {
  FakeClock clock;
  ResourceAccountingOptions timed = options();
  timed.limiter.clock = clock;
  const auto accounting = ResourceAccounting::start(components_.root(), std::move(timed));
  ASSERT_TRUE(accounting.has_value());
  std::filesystem::remove_all(folder_.path() + "/sys");
  std::filesystem::remove(folder_.path() + "/proc/self/cgroup");
  clock.advance(2s);
  static_cast<void>(accounting->limiter().poll());
  EXPECT_EQ(accounting->limiter().effective_limit_bytes(), 768U << 20);
  EXPECT_EQ(accounting->limiter().state(), LimiterState::Normal);
}

TEST_F(ResourceAccountingTest, AControlGroupsLimitThatIsRewrittenCountsFromTheNextSecondOn) {
  FakeClock clock;
  ResourceAccountingOptions timed = options();
  timed.limiter.clock = clock;
  const auto accounting = ResourceAccounting::start(components_.root(), std::move(timed));
  ASSERT_TRUE(accounting.has_value());
  folder_.write(kLimitFile, "2147483648\n");
  clock.advance(2s);
  static_cast<void>(accounting->limiter().poll());
  EXPECT_EQ(accounting->limiter().effective_limit_bytes(), std::uint64_t{1536} << 20);
}

TEST_F(ResourceAccountingTest, WithoutPressureStallInformationItIsSaidAndTheLimiterDoesWithout) {
  ResourceAccountingOptions without_psi = options();
  without_psi.limiter.listens_for_stalls = true;
  without_psi.limiter.background_thread = true;
  const auto accounting = ResourceAccounting::start(components_.root(), std::move(without_psi));
  ASSERT_TRUE(accounting.has_value());
  EXPECT_EQ(accounting->limiter().mode(), LimiterMode::On);
  const std::vector<LimiterEvent> events = accounting->limiter().events();
  ASSERT_FALSE(events.empty());
  EXPECT_NE(events[0].message.find("no word of memory stalls"), std::string::npos) << events[0].message;
}

TEST_F(ResourceAccountingTest, ValuesOfTheProgramThatMakeNoSenseAreErrors) {
  ResourceAccountingOptions slop = options();
  slop.values.slop_factor = 1.5;
  EXPECT_FALSE(ResourceAccounting::start(components_.root(), std::move(slop)).has_value());
  ResourceAccountingOptions tolerance = options();
  tolerance.breach_tolerance = -1;
  EXPECT_FALSE(ResourceAccounting::start(components_.root(), std::move(tolerance)).has_value());
}

TEST_F(ResourceAccountingTest, AForkedChildCanLetGoOfItsParents) {
  if (BURSAR_THREAD_SANITIZER != 0) GTEST_SKIP() << "ThreadSanitizer knows nothing of threads that a fork left behind";
  ResourceAccountingOptions with_threads = options();
  with_threads.breach_check_interval = 250ms;
  with_threads.limiter.background_thread = true;
  auto started = ResourceAccounting::start(components_.root(), std::move(with_threads));
  ASSERT_TRUE(started) << started.error();
  std::optional<ResourceAccounting> accounting(*std::move(started));
  const testing::ChildOutcome outcome = testing::run_in_child([&] {
    ::alarm(60);  // for a child that hangs
    accounting.reset();
  });
  EXPECT_TRUE(outcome.succeeded()) << outcome.status << outcome.standard_error;
}

TEST_F(ResourceAccountingTest, ItsThreadsLookByThemselves) {
  ResourceAccountingOptions threaded = options();
  threaded.breach_check_interval = 1ms;
  threaded.limiter.background_thread = true;
  const auto accounting = ResourceAccounting::start(components_.root(), std::move(threaded));
  ASSERT_TRUE(accounting.has_value());
  TrackingResource resource(component_.token());
  void* const block = resource.allocate(4 * kMiB);
  const auto end = std::chrono::steady_clock::now() + 30s;
  while (!logged("holds 4") && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  resource.deallocate(block, 4 * kMiB);
  EXPECT_TRUE(logged("holds 4"));
}

}  // namespace
}  // namespace bursar
