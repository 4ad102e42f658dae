#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <expected>
#include <optional>
#include <string_view>

#include <bursar/groups/resource_group_token.h>

#include "aggregate/aggregator.h"
#include "intake/source_counters.h"
#include "log/bad_input_log.h"
#include "protocol/line_parser.h"

namespace bursar::statsd {

// Where the lines of all sources go. What it refers to has to outlive the intakes.
struct IntakeDestination {
  Aggregator& aggregator;
  ResourceGroupToken aggregate_group;
  BadInputLog& bad_input;
};

// Brings the lines of one source to the aggregator and keeps the source's accounts: each line ends in exactly one of
// its counters. Lines are parsed in the group of the caller and handed over in batches, so that the aggregator's group
// is entered once for a batch; its memory and CPU time are charged there.
//
// Thread-safety: belongs to one thread. Allocates: no, but for the log line of a bad one. Blocks: no.
class LineIntake {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  LineIntake(std::string_view source, const ParserLimits& limits, const IntakeDestination& destination)
      : source_(source), limits_(limits), destination_(destination) {}
  LineIntake(const LineIntake&) = delete;
  LineIntake& operator=(const LineIntake&) = delete;

  // Takes all lines of a datagram. The last line of one that was cut off is dropped.
  void accept_datagram(std::string_view text, bool is_truncated, TimePoint now);

  // Takes one line without its newline; an empty one is none. Its text has to stay until `flush`.
  void accept_line(std::string_view line, TimePoint now);

  // Counts a line that could not be read whole.
  void drop_line(DropReason reason, std::string_view line, TimePoint now);

  // Hands over what is still in the batch.
  void flush(TimePoint now);

  [[nodiscard]] std::string_view source() const noexcept { return source_; }
  [[nodiscard]] SourceCounters& counters() noexcept { return counters_; }
  [[nodiscard]] const SourceCounters& counters() const noexcept { return counters_; }

 private:
  static constexpr std::size_t kBatchLines = 64;
  struct Pending {
    std::string_view line;
    Metric metric;
    std::optional<DropReason> refused;
  };

  void refuse(DropReason reason, std::string_view line, TimePoint now);

  std::string_view source_;
  ParserLimits limits_;
  IntakeDestination destination_;
  SourceCounters counters_;
  std::array<Pending, kBatchLines> batch_;
  std::size_t batch_lines_ = 0;
};

}  // namespace bursar::statsd
