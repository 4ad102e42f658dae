#include "report/terminal_text.h"

#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include <string>
#include <string_view>

namespace bursar::report_detail {
namespace {

TEST(TerminalText, LeavesPlainTextAsItIs) {
  EXPECT_EQ(terminal_text("topology.sources.udp"), "topology.sources.udp");
  EXPECT_EQ(terminal_text("Größe 東京 🧺"), "Größe 東京 🧺");
}

TEST(TerminalText, ShowsWhatTheTerminalWouldObey) {
  EXPECT_EQ(terminal_text("a\x1b[31mb"), "a\\x1b[31mb");
  EXPECT_EQ(terminal_text("a\nb\r\t\x7f"), "a\\x0ab\\x0d\\x09\\x7f");
  EXPECT_EQ(terminal_text("\u009b31m"), "\\x9b31m") << "the one-character form of ESC [";
  EXPECT_EQ(terminal_text(std::string_view("a\0b", 3)), "a\\x00b");
}

TEST(TerminalText, HidesNothingAndTurnsNothingRound) {
  EXPECT_EQ(terminal_text("a\u202eb\u200bc\ufeff"), "a\uFFFDb\uFFFDc\uFFFD");
}

TEST(TerminalText, ReplacesWhatIsNotUtf8) {
  EXPECT_EQ(terminal_text("a\xff"
                          "b"),
            "a\uFFFDb");
}

TEST(TerminalText, CountsColumns) {
  EXPECT_EQ(columns_of(""), 0U);
  EXPECT_EQ(columns_of("abc"), 3U);
  EXPECT_EQ(columns_of("Größe"), 5U);
  EXPECT_EQ(columns_of("東京"), 4U);
  EXPECT_EQ(columns_of("🧺"), 2U);
}

TEST(TerminalText, CutsToTheColumnsThatThereAre) {
  EXPECT_EQ(fit_into("abcdef", 6), "abcdef");
  EXPECT_EQ(fit_into("abcdef", 5), "abcd…");
  EXPECT_EQ(fit_into("abcdef", 1), "…");
  EXPECT_EQ(fit_into("abcdef", 0), "");
  EXPECT_EQ(fit_into("東京都", 5), "東京…");
  EXPECT_EQ(fit_into("東京都", 4), "東…");
}

RC_GTEST_PROP(TerminalText, NoBytesGiveAControlCharacterOrMoreColumnsThanThereAre, (const std::string& bytes)) {
  const std::string shown = terminal_text(bytes);
  for (const char character : shown) {
    const auto byte = static_cast<unsigned char>(character);
    RC_ASSERT(byte >= 0x20 && byte != 0x7f);
  }
  RC_ASSERT(shown.find("\xc2\x9b") == std::string::npos);
  const auto columns = *rc::gen::inRange<std::size_t>(0, 40);
  RC_ASSERT(columns_of(fit_into(shown, columns)) <= columns);
}

}  // namespace
}  // namespace bursar::report_detail
