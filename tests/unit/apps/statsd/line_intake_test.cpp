#include "intake/line_intake.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

namespace bursar::statsd {
namespace {

constexpr LineIntake::TimePoint kStart{};

class LineIntakeTest : public testing::Test {
 protected:
  const SourceCounters& receive(const std::string& text, bool is_truncated = false) {
    intake_.accept_datagram(text, is_truncated, kStart);
    return intake_.counters();
  }

  std::vector<std::string> logged_;
  Aggregator aggregator_{{.max_contexts = 100}};
  BadInputLog bad_input_{[this](std::string_view line) { logged_.emplace_back(line); }};
  LineIntake intake_{"udp", ParserLimits{}, {aggregator_, ResourceGroupToken::root(), bad_input_}};
};

TEST_F(LineIntakeTest, EachLineEndsInOneCounter) {
  const SourceCounters& counters = receive("a:1|c\n_e{1,1}:a|b\nbad\n_sc|s|0\na:1|g\na:2|c\n");
  EXPECT_EQ(counters.packets, 1U);
  EXPECT_EQ(counters.lines, 6U);
  EXPECT_EQ(counters.metrics, 2U);
  EXPECT_EQ(counters.events, 1U);
  EXPECT_EQ(counters.service_checks, 1U);
  EXPECT_EQ(counters.dropped[DropReason::kNoValue], 1U);
  EXPECT_EQ(counters.dropped[DropReason::kTypeConflict], 1U);
  EXPECT_EQ(counters.dropped.total(), 2U);
}

TEST_F(LineIntakeTest, EmptyLinesAreNone) {
  EXPECT_EQ(receive("\n\r\n\na:1|c\n\n").lines, 1U);
}

TEST_F(LineIntakeTest, TheLastLineNeedsNoNewline) {
  EXPECT_EQ(receive("a:1|c\nb:1|c").metrics, 2U);
}

TEST_F(LineIntakeTest, OfACutDatagramTheLastLineIsDropped) {
  const SourceCounters& counters = receive("a:1|c\nb:1", true);
  EXPECT_EQ(counters.metrics, 1U);
  EXPECT_EQ(counters.dropped[DropReason::kTruncated], 1U);
  EXPECT_EQ(counters.truncated_datagrams, 1U);
}

TEST_F(LineIntakeTest, ADatagramThatWasCutBetweenLinesLosesNoneThatIsThere) {
  EXPECT_EQ(receive("a:1|c\n", true).dropped.total(), 0U);
}

TEST_F(LineIntakeTest, MoreLinesThanABatchAllArrive) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "a:1|c\n";
  EXPECT_EQ(receive(text).metrics, 1000U);
  EXPECT_EQ(aggregator_.contexts(), 1U);
}

TEST_F(LineIntakeTest, CountsFieldsThatNobodyKnows) {
  EXPECT_EQ(receive("a:1|c|x:1|y:2\n").unknown_fields, 2U);
}

TEST_F(LineIntakeTest, TellsOfBadLinesOnceASecond) {
  receive("bad\x01\nbad2\nbad3");
  ASSERT_EQ(logged_.size(), 1U);
  EXPECT_NE(logged_[0].find("udp"), std::string::npos);
  EXPECT_NE(logged_[0].find("no_value"), std::string::npos);
  EXPECT_NE(logged_[0].find("\"bad\\x01\""), std::string::npos) << logged_[0];
  intake_.accept_datagram("bad4", false, kStart + std::chrono::milliseconds(999));
  EXPECT_EQ(logged_.size(), 1U);
  intake_.accept_datagram("bad5", false, kStart + std::chrono::seconds(1));
  ASSERT_EQ(logged_.size(), 2U);
  EXPECT_NE(logged_[1].find("3 other lines"), std::string::npos) << logged_[1];
  intake_.accept_datagram("bad6", false, kStart + std::chrono::seconds(2));
  ASSERT_EQ(logged_.size(), 3U);
  EXPECT_EQ(logged_[2].find("other lines"), std::string::npos) << logged_[2];
}

RC_GTEST_PROP(LineIntakeLaw, TheAccountsOfAnyBytesAddUp, (const std::vector<std::string>& packets, bool is_truncated)) {
  Aggregator aggregator({.max_contexts = 3});
  BadInputLog bad_input([](std::string_view) {});
  LineIntake intake("udp", ParserLimits{}, {aggregator, ResourceGroupToken::root(), bad_input});
  for (const std::string& packet : packets) intake.accept_datagram(packet + "\na:1|c\n" + packet, is_truncated, kStart);
  const SourceCounters& counters = intake.counters();
  RC_ASSERT(counters.lines == counters.accepted() + counters.dropped.total());
  RC_ASSERT(counters.metrics >= packets.size());
}

}  // namespace
}  // namespace bursar::statsd
