#pragma once

#include <cstdint>

#include "protocol/drop_reason.h"

namespace bursar::statsd {

// What a source has received so far, and what became of it. Once the source is quiet,
//
//   lines == metrics + events + service_checks + dropped.total()
//
// Thread-safety: belongs to one thread. Allocates: no. Blocks: no.
struct SourceCounters {
  std::uint64_t packets = 0;  // datagrams, or reads of a stream
  std::uint64_t bytes = 0;
  std::uint64_t lines = 0;
  std::uint64_t metrics = 0;  // lines that the aggregator took
  std::uint64_t events = 0;
  std::uint64_t service_checks = 0;
  DropCounts dropped;

  std::uint64_t unknown_fields = 0;       // of lines that were used all the same
  std::uint64_t truncated_datagrams = 0;  // longer than the buffer: what came after it is not known
  std::uint64_t kernel_drops = 0;         // datagrams that found the socket's buffer full
  std::uint64_t read_errors = 0;

  std::uint64_t connections_accepted = 0;
  std::uint64_t connections_rejected = 0;  // one more than there may be
  std::uint64_t connections_open = 0;

  [[nodiscard]] std::uint64_t accepted() const noexcept { return metrics + events + service_checks; }
};

}  // namespace bursar::statsd
