#include "intake/line_framer.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace bursar::statsd {
namespace {

struct Framed {
  std::vector<std::string> lines;
  int over_long = 0;
  std::string rest;
};

// Feeds `stream` in pieces of the given lengths, over and over.
Framed frame(std::string_view stream, std::size_t max_line_bytes, const std::vector<std::size_t>& pieces) {
  LineFramer framer(max_line_bytes);
  Framed framed;
  std::size_t turn = 0;
  while (!stream.empty()) {
    const auto space = framer.free_space();
    const std::size_t piece = pieces.empty() ? stream.size() : pieces[turn++ % pieces.size()];
    const std::size_t bytes = std::min({piece, space.size(), stream.size()});
    std::ranges::copy(stream.substr(0, bytes), space.begin());
    stream.remove_prefix(bytes);
    framer.commit(
        bytes, [&](std::string_view line) { framed.lines.emplace_back(line); },
        [&](std::string_view) { ++framed.over_long; });
  }
  framed.rest = framer.take_rest();
  EXPECT_EQ(framer.take_rest(), "");
  return framed;
}

TEST(LineFramer, CutsLinesAcrossReads) {
  const Framed framed = frame("ab\ncd\n\nef", 10, {1});
  EXPECT_EQ(framed.lines, (std::vector<std::string>{"ab", "cd", ""}));
  EXPECT_EQ(framed.rest, "ef");
}

TEST(LineFramer, PassesOverALineThatIsTooLongAndTellsOnce) {
  const Framed framed = frame("ok\n" + std::string(100, 'x') + "\nfine\n", 10, {7});
  EXPECT_EQ(framed.lines, (std::vector<std::string>{"ok", "fine"}));
  EXPECT_EQ(framed.over_long, 1);
}

TEST(LineFramer, HoldsTheLimitExactly) {
  EXPECT_EQ(frame("0123456789\n", 10, {1}).lines, std::vector<std::string>{"0123456789"});
  EXPECT_EQ(frame("0123456789\r\n", 10, {1}).over_long, 0);
  EXPECT_EQ(frame("0123456789ab\n", 10, {1}).over_long, 1);
}

TEST(LineFramer, AnOverLongRestIsNoLine) {
  const Framed framed = frame(std::string(50, 'x'), 10, {3});
  EXPECT_EQ(framed.over_long, 1);
  EXPECT_EQ(framed.rest, "");
}

RC_GTEST_PROP(LineFramerLaw, HowTheStreamIsCutDoesNotMatter, ()) {
  constexpr std::size_t kMax = 16;
  const auto lines =
      *rc::gen::container<std::vector<std::string>>(rc::gen::container<std::string>(rc::gen::inRange('a', 'z')));
  const auto pieces = *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(1, 40));
  std::string stream;
  Framed expected;
  for (const std::string& line : lines) {
    stream += line + "\n";
    if (line.size() > kMax + 1) {
      ++expected.over_long;
    } else {
      expected.lines.push_back(line);
    }
  }
  Framed framed = frame(stream, kMax, pieces);
  // A line that came whole is handed out even where it is too long: the parser refuses it.
  const auto whole = std::erase_if(framed.lines, [](const std::string& line) { return line.size() > kMax + 1; });
  RC_ASSERT(framed.lines == expected.lines);
  RC_ASSERT(framed.over_long + static_cast<int>(whole) == expected.over_long);
  RC_ASSERT(framed.rest.empty());
}

}  // namespace
}  // namespace bursar::statsd
