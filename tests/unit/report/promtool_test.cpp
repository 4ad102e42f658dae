#include <bursar/report/resource_metrics.h>

#include "unit/report/sample_report.h"

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

namespace bursar {
namespace {

// The system's, or the one that scripts/install-dependencies took out of the package.
const char* const kPromtool = ::access("/usr/bin/promtool", X_OK) == 0 ? "/usr/bin/promtool" : BURSAR_PROMTOOL;

class Promtool : public testing::Test {
 protected:
  void SetUp() override {
    if (::access(kPromtool, X_OK) == 0) {
      return;
    }
    const char* const ci = std::getenv("CI");
    ASSERT_NE(ci == nullptr ? std::string_view() : ci, "true")
        << kPromtool << " is missing: run scripts/install-dependencies test";
    GTEST_SKIP() << kPromtool << " is missing: run scripts/install-dependencies test";
  }

  struct Verdict {
    int status;
    std::string complaints;
  };

  // What `promtool check metrics` says of `text`; silence is consent.
  static Verdict check(const std::string& text) {
    std::string input = testing::TempDir() + "bursar-metrics-XXXXXX";
    ::close(::mkstemp(input.data()));
    const std::string output = input + ".out";
    std::ofstream(input, std::ios::binary) << text;
    const std::string command = std::string(kPromtool) + " check metrics < '" + input + "' > '" + output + "' 2>&1";
    const int status = std::system(command.c_str());
    std::stringstream complaints;
    complaints << std::ifstream(output).rdbuf();
    ::unlink(input.c_str());
    ::unlink(output.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, complaints.str()};
  }

  static std::string metrics_of(const ResourceReport& report) {
    std::string text;
    ExpositionWriter writer(text, ExpositionFormat::PrometheusText);
    write_resource_metrics(report, report.unattributed_cpu_nanos(), writer);
    return text;
  }
};

TEST_F(Promtool, FindsNothingInOurFamilies) {
  const Verdict verdict = check(metrics_of(test::sample_report()));
  EXPECT_EQ(verdict.status, 0);
  EXPECT_EQ(verdict.complaints, "");
}

TEST_F(Promtool, FindsNothingWhateverTheNames) {
  auto report = test::sample_report();
  report.groups.other_groups.clear();
  for (const std::string_view name :
       {std::string_view("\"\n}"), std::string_view("<script>alert(1)</script>"), std::string_view("\\"),
        std::string_view("a\0b", 3), std::string_view("\xff\xfe"), std::string_view("\x1b[31m\r\t"),
        std::string_view("# HELP x"), std::string_view("{a=\"b\"} 1")}) {
    report.groups.other_groups.push_back({.name = std::string(name), .usage = test::usage(10, 1, 5)});
    report.groups.root.subcomponents.push_back(test::component(std::string(name) + "-c", 1, 2, std::nullopt));
  }
  const Verdict verdict = check(metrics_of(report));
  EXPECT_EQ(verdict.status, 0);
  EXPECT_EQ(verdict.complaints, "");
}

TEST_F(Promtool, WouldFindAMistake) {
  EXPECT_NE(check("# HELP a_count A gauge of this name.\n# TYPE a_count gauge\na_count 1\n").complaints, "");
  EXPECT_NE(check("bursar_group_live_bytes{group=\"\n\"} 1\n").status, 0);
}

}  // namespace
}  // namespace bursar
