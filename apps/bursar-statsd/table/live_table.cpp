#include "table/live_table.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

#include <bursar/report/table.h>

#include "log/log.h"

namespace bursar::statsd {
namespace {

constexpr std::size_t kWidthElsewhere = 100;

// How many columns and lines the terminal has.
winsize terminal_size() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) size.ws_col = 80;
  if (size.ws_row == 0) size.ws_row = 24;
  return size;
}

bool wants_colours() {
  const char* no_color = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  return (no_color == nullptr || *no_color == '\0') && (terminal == nullptr || std::string_view(terminal) != "dumb");
}

void print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

}  // namespace

LiveTable::LiveTable(std::function<ResourceReport()> read, std::function<std::string(std::chrono::nanoseconds)> status)
    : read_(std::move(read)),
      status_(std::move(status)),
      is_terminal_(::isatty(STDOUT_FILENO) == 1),
      takes_log_(is_terminal_ && ::isatty(STDERR_FILENO) == 1) {
  if (takes_log_) set_log_sink([this](std::string_view line) { pending_log_ += line; });
}

LiveTable::~LiveTable() {
  if (!takes_log_) return;
  set_log_sink({});
  print(pending_log_);
}

std::vector<std::string> LiveTable::lines(const Drawn& drawn, std::size_t width, bool colours) {
  const auto elapsed = last_ ? drawn.time - last_->time : std::chrono::nanoseconds::zero();
  const TableOptions options{.width = width, .colours = colours};
  auto table = last_ ? render_table(drawn.report, EarlierReport{last_->report, elapsed}, options)
                     : render_table(drawn.report, options);
  table.insert(table.begin(), status_(elapsed).substr(0, width));
  return table;
}

void LiveTable::draw(std::chrono::steady_clock::time_point now) {
  Drawn drawn{read_(), now};
  std::string text;
  if (is_terminal_) {
    const winsize size = terminal_size();
    auto table = lines(drawn, size.ws_col, wants_colours());
    // What scrolls out of the screen cannot be drawn over.
    table.resize(std::min<std::size_t>(table.size(), size.ws_row - 1U));
    if (lines_on_screen_ > 0) text += "\x1b[" + std::to_string(lines_on_screen_) + "F";
    text += "\x1b[J";
    text += std::exchange(pending_log_, {});
    for (const std::string& line : table) text += line + "\n";
    lines_on_screen_ = table.size();
  } else {
    for (const std::string& line : lines(drawn, kWidthElsewhere, false)) text += line + "\n";
    text += "\n";
  }
  print(text);
  last_ = std::move(drawn);
}

}  // namespace bursar::statsd
