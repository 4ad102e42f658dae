#include <bursar/report/cpu_shares.h>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <optional>

namespace bursar {
namespace {

using namespace std::chrono_literals;
using Time = std::chrono::steady_clock::time_point;

// One group and the process, with so much CPU time.
ResourceReport report_of(std::chrono::nanoseconds group, std::chrono::nanoseconds process) {
  ResourceReport report;
  ResourceStatsSnapshot usage;
  usage.cpu_time_nanos = static_cast<std::uint64_t>(group.count());
  report.groups.other_groups = {{.name = "busy", .usage = usage}};
  report.process.cpu_time_nanos = static_cast<std::uint64_t>(process.count());
  return report;
}

TEST(CpuShares, AreThoseBetweenTwoReportsThatAreASecondApartOrMore) {
  CpuShareSampler sampler;
  EXPECT_FALSE(sampler.shares(report_of(0s, 0s), Time(0s)).has_value());
  const auto shares = sampler.shares(report_of(1s, 3s), Time(2s));
  ASSERT_TRUE(shares.has_value());
  EXPECT_EQ(shares->window, 2s);
  EXPECT_EQ(shares->of("busy"), 0.5);
  EXPECT_EQ(shares->process, 1.5);
  EXPECT_EQ(shares->of("nobody"), 0.0);
}

TEST(CpuShares, OfLooksInQuickSuccessionReachBackOneToTwoSeconds) {
  CpuShareSampler sampler;
  static_cast<void>(sampler.shares(report_of(0s, 0s), Time(0s)));
  std::optional<CpuShares> shares;
  for (auto now = 10ms; now <= 5s; now += 10ms) {
    // Half of the time, from the second second on all of it.
    const auto used = now < 2s ? now / 2 : 1s + (now - 2s);
    shares = sampler.shares(report_of(used, used), Time(now));
    ASSERT_TRUE(shares.has_value());
    EXPECT_LE(shares->window, 2s);
    if (now >= 1s) {
      EXPECT_GE(shares->window, 1s);
    }
  }
  EXPECT_EQ(shares->of("busy"), 1.0);
}

TEST(CpuShares, OfRareLooksReachBackToTheOneBefore) {
  CpuShareSampler sampler;
  static_cast<void>(sampler.shares(report_of(0s, 0s), Time(0s)));
  static_cast<void>(sampler.shares(report_of(0s, 0s), Time(60s)));
  const auto shares = sampler.shares(report_of(30s, 30s), Time(120s));
  EXPECT_EQ(shares->window, 60s);
  EXPECT_EQ(shares->of("busy"), 0.5);
}

TEST(CpuShares, OfAGroupThatIsNewBeginAtNothingAndNoneIsNegative) {
  CpuShareSampler sampler;
  static_cast<void>(sampler.shares(ResourceReport(), Time(0s)));
  EXPECT_EQ(sampler.shares(report_of(1s, 1s), Time(1s))->of("busy"), 1.0);
  EXPECT_EQ(sampler.shares(report_of(0s, 1s), Time(2s))->of("busy"), 0.0);
}

TEST(CpuShares, AreNothingWhereNoTimeHasPassed) {
  CpuShareSampler sampler;
  static_cast<void>(sampler.shares(report_of(0s, 0s), Time(1s)));
  EXPECT_FALSE(sampler.shares(report_of(0s, 0s), Time(1s)).has_value());
}

}  // namespace
}  // namespace bursar
