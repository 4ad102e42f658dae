#include <bursar/report/bounds_tree.h>
#include <bursar/report/table.h>

#include "report/terminal_text.h"
#include "unit/report/sample_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace bursar {
namespace {

using namespace std::chrono_literals;
using test::component;
using test::sample_report;
using testing::Contains;
using testing::Each;
using testing::HasSubstr;
using testing::Not;

// The sample, half a second earlier: nothing had been used.
ResourceReport half_a_second_earlier() {
  ResourceReport earlier;
  earlier.process.cpu_time_nanos = 0;
  return earlier;
}

TEST(Table, ShowsTheAccountsIn80Columns) {
  const ResourceReport before = half_a_second_earlier();
  EXPECT_EQ(render_table(sample_report(), EarlierReport{before, 500ms}),
            (std::vector<std::string>{
                "resident 32 MiB of 48 MiB (67 %)   limit 64 MiB less 25 %   limiter soft",
                "back-off 1.5 ms   waits 12,345",
                "",
                "component        minimum       firm       live    objects  cpu %  state",
                "api               64 KiB      1 MiB   68.4 KiB        300    0.2  ok",
                "topology",
                "  sources",
                "    tcp           64 KiB      1 MiB          -          -      -  -",
                "    udp          512 KiB      4 MiB    1.2 MiB      1,234   24.6  ok",
                "  transforms",
                "    aggregate      1 MiB     16 MiB     18 MiB    123,456  102.4  over firm",
                "plugin                 -          -    3.9 KiB          8    0.0  -",
                "root                   -          -      2 MiB     12,345   60.0  -",
                "unattributed           -          -   10.7 MiB          -   12.8  -",
                "total            1.6 MiB     22 MiB     32 MiB    137,343  200.0",
            }));
}

TEST(Table, FoldsPathsAndAddsRatesAndBarsWhereThereIsRoom) {
  const ResourceReport before = half_a_second_earlier();
  EXPECT_EQ(
      render_table(sample_report(), EarlierReport{before, 500ms}, {.width = 120, .colours = false}),
      (std::vector<std::string>{
          "resident 32 MiB of 48 MiB (67 %)   limit 64 MiB less 25 %   limiter soft   back-off 1.5 ms   waits 12,345",
          "",
          "component                 minimum       firm       live    objects      new/s  cpu %       of firm  state",
          "api                        64 KiB      1 MiB   68.4 KiB        300  410.2 KiB    0.2  ▊···········  ok",
          "topology",
          "  sources",
          "    tcp                    64 KiB      1 MiB          -          -          -      -                -",
          "    udp                   512 KiB      4 MiB    1.2 MiB      1,234    7.2 MiB   24.6  ███▋········  ok",
          "  transforms.aggregate      1 MiB     16 MiB     18 MiB    123,456    108 MiB  102.4  ████████████  over "
          "firm",
          "plugin                          -          -    3.9 KiB          8   23.4 KiB    0.0                -",
          "root                            -          -      2 MiB     12,345     12 MiB   60.0                -",
          "unattributed                    -          -   10.7 MiB          -          -   12.8                -",
          "total                     1.6 MiB     22 MiB     32 MiB    137,343  127.6 MiB  200.0",
      }));
}

TEST(Table, SaysWhichComponentWasBeyondItsBoundsAndIsNotAnyMore) {
  ResourceReport report = sample_report();
  report.bound_standings["topology.sources.udp"] = {.limit_bytes = 4U << 20, .breaches = 2};
  report.bound_standings["topology.transforms.aggregate"] = {.limit_bytes = 16U << 20, .breaches = 1};
  const auto lines = render_table(report);
  EXPECT_THAT(lines, Contains("    udp          512 KiB      4 MiB    1.2 MiB      1,234      -  was over"));
  EXPECT_THAT(lines, Contains("    aggregate      1 MiB     16 MiB     18 MiB    123,456      -  over firm"));
}

TEST(Table, WithoutAnEarlierReportTellsNoCpuShares) {
  EXPECT_THAT(render_table(sample_report()),
              Contains("    udp          512 KiB      4 MiB    1.2 MiB      1,234      -  ok"));
  const ResourceReport before = half_a_second_earlier();
  EXPECT_EQ(render_table(sample_report(), EarlierReport{before, 0ns}), render_table(sample_report()));
}

TEST(Table, CountsWhatHasComeSinceTheEarlierReport) {
  ResourceReport before = sample_report();
  ResourceReport after = sample_report();
  after.groups.root.subcomponents[0].usage->cpu_time_nanos += 50'000'000;
  after.process.cpu_time_nanos = *before.process.cpu_time_nanos + 80'000'000;
  const auto lines = render_table(after, EarlierReport{before, 1s});
  EXPECT_THAT(lines, Contains("api               64 KiB      1 MiB   68.4 KiB        300    5.0  ok"));
  EXPECT_THAT(lines, Contains(testing::StartsWith("total            1.6 MiB     22 MiB     32 MiB    137,343    8.0")));
}

TEST(Table, NoLineIsWiderThanAsked) {
  ResourceReport report = sample_report();
  report.groups.other_groups.push_back({.name = std::string(300, 'x'), .usage = test::usage(1, 1, 1)});
  report.groups.other_groups.push_back(
      {.name = "東京東京東京東京東京東京東京東京東京東京", .usage = test::usage(1, 1, 1)});
  for (std::size_t width = 80; width <= 200; ++width) {
    for (const std::string& line : render_table(report, {.width = width, .colours = false})) {
      EXPECT_LE(report_detail::columns_of(line), width) << line;
    }
  }
}

TEST(Table, KeepsTerminalEscapesOutOfNames) {
  ResourceReport report = sample_report();
  report.groups.other_groups = {{.name = "a\x1b[31m\nb", .usage = test::usage(1, 1, 1)}};
  const auto lines = render_table(report, {.width = 120, .colours = false});
  EXPECT_THAT(lines, Each(Not(HasSubstr("\x1b"))));
  EXPECT_THAT(lines, Contains(HasSubstr("a\\x1b[31m\\x0ab ")));
}

TEST(Table, ColoursSayWhatTheWordsSay) {
  const auto lines = render_table(sample_report(), {.width = 80, .colours = true});
  EXPECT_THAT(lines, Contains(HasSubstr("\x1b[33mlimiter soft\x1b[0m")));
  EXPECT_THAT(lines, Contains(HasSubstr("\x1b[1;31mover firm\x1b[0m")));
  EXPECT_THAT(lines, Contains(HasSubstr("\x1b[32mok\x1b[0m")));
}

TEST(Table, AComponentAtItsFirmLimitIsNotOverIt) {
  ResourceReport report;
  report.groups.root = component("root", 0, 0, std::nullopt, {component("a", 0, 1024, test::usage(1024, 1, 0))});
  EXPECT_THAT(render_table(report), Contains(testing::MatchesRegex("a .* ok")));
  report.groups.root.subcomponents[0].usage->allocated_bytes += 1;
  EXPECT_THAT(render_table(report), Contains(testing::MatchesRegex("a .* over firm")));
}

TEST(Table, SaysWhatIsUnknownAndWhatIsWrong) {
  ResourceReport report;
  report.groups.root = component("root", 0, 0, std::nullopt);
  report.bookkeeping.foreign_blocks = 3;
  EXPECT_EQ(render_table(report, {.width = 120, .colours = false}),
            (std::vector<std::string>{
                "resident size unknown   no limit   allocations are not tracked   foreign blocks 3",
                "",
                "component       minimum       firm       live    objects      new/s  cpu %       of firm  state",
                "root                  -          -          -          -          -      -                -",
                "unattributed          -          -          -          -          -      -                -",
                "total               0 B        0 B        0 B          0          -      -",
            }));
}

TEST(Table, SaysThatALimiterOnlyObserves) {
  ResourceReport report = sample_report();
  report.limiter->mode = LimiterMode::Observe;
  EXPECT_THAT(render_table(report), Contains(HasSubstr("limiter soft (observed)")));
  report.limiter->mode = LimiterMode::Off;
  EXPECT_THAT(render_table(report), Contains(HasSubstr("limiter off")));
}

ComponentBounds sample_bounds() {
  constexpr std::size_t kMiB = 1024 * 1024;
  const auto leaf = [](std::size_t minimum, std::size_t firm) {
    return ComponentBounds({UsageExpr::constant("minimum", minimum)}, {UsageExpr::constant("firm", firm)}, {});
  };
  const ComponentBounds sources({}, {}, {{"tcp", leaf(65'536, kMiB)}, {"udp", leaf(kMiB, 3 * kMiB)}});
  const ComponentBounds transforms({}, {}, {{"aggregate", leaf(kMiB, 15 * kMiB)}});
  return ComponentBounds({}, {}, {{"topology", {{}, {}, {{"sources", sources}, {"transforms", transforms}}}}});
}

TEST(BoundsTree, ShowsMinimumFirmLimitAndShareOfTheGrant) {
  const auto grant = MemoryGrant::with_slop_factor(64 << 20, 0.25).value();
  EXPECT_EQ(render_bounds_tree(sample_bounds(), grant), (std::vector<std::string>{
                                                            "component                 minimum       firm  of grant",
                                                            "topology",
                                                            "  sources",
                                                            "    tcp                    64 KiB    1.1 MiB     2.2 %",
                                                            "    udp                     1 MiB      4 MiB     8.3 %",
                                                            "  transforms.aggregate      1 MiB     16 MiB      33 %",
                                                            "total                     2.1 MiB   21.1 MiB      44 %",
                                                            "granted 64 MiB, less 25 % slop: 48 MiB",
                                                        }));
}

TEST(BoundsTree, UnfoldsPathsWhereTheWidthDoesNotDo) {
  EXPECT_THAT(render_bounds_tree(sample_bounds(), std::nullopt, {.width = 50, .colours = false}),
              testing::AllOf(Contains("  transforms"), Contains("    aggregate      1 MiB     16 MiB         -")));
}

TEST(BoundsTree, ShowsTheRootWhereItDeclaresSomething) {
  const ComponentBounds bounds({UsageExpr::constant("own", 1024)}, {}, {});
  EXPECT_EQ(render_bounds_tree(bounds, MemoryGrant::effective(2048).value()),
            (std::vector<std::string>{
                "component    minimum       firm  of grant",
                "root           1 KiB      1 KiB      50 %",
                "total          1 KiB      1 KiB      50 %",
                "granted 2 KiB",
            }));
}

TEST(BoundsTree, SaysWhereASumOverflows) {
  const ComponentBounds bounds({UsageExpr::constant("a", SIZE_MAX), UsageExpr::constant("b", 1)}, {}, {});
  EXPECT_THAT(render_bounds_tree(bounds, std::nullopt), Contains(HasSubstr("overflow   overflow")));
}

}  // namespace
}  // namespace bursar
