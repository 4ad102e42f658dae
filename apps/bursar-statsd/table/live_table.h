#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <bursar/report/resource_report.h>

namespace bursar::statsd {

// Draws who uses what, again and again: in place where standard output is a terminal, else one table below the other.
// While it lives it takes the log's lines too, if those go to a terminal as well, and shows them above the table.
//
// Thread-safety: belongs to one thread. Allocates: yes. Blocks: where standard output does.
class LiveTable {
 public:
  // `status` makes a line of ASCII that is shown above the table, cut to the width.
  LiveTable(std::function<ResourceReport()> read, std::function<std::string(std::chrono::nanoseconds elapsed)> status);
  LiveTable(const LiveTable&) = delete;
  LiveTable& operator=(const LiveTable&) = delete;
  ~LiveTable();

  void draw(std::chrono::steady_clock::time_point now);

 private:
  struct Drawn {
    ResourceReport report;
    std::chrono::steady_clock::time_point time;
  };

  [[nodiscard]] std::vector<std::string> lines(const Drawn& drawn, std::size_t width, bool colours);

  std::function<ResourceReport()> read_;
  std::function<std::string(std::chrono::nanoseconds)> status_;
  bool is_terminal_;
  bool takes_log_;
  std::string pending_log_;
  std::size_t lines_on_screen_ = 0;
  std::optional<Drawn> last_;
};

}  // namespace bursar::statsd
