#pragma once

#include <cstddef>
#include <expected>
#include <string_view>

#include "protocol/drop_reason.h"
#include "protocol/metric.h"

namespace bursar::statsd {

// What a line may be at most. The aggregator's bounds are computed from these.
struct ParserLimits {
  std::size_t max_line_bytes = 8192;  // one line, without its newline
  std::size_t max_name_bytes = 200;
  std::size_t max_tags = 64;
};

// Reads one line of StatsD or DogStatsD:
//
//   name:value|type|@rate|#tag:value,tag|c:container|T1656581400
//
// Types are c, g, s, ms, h and d; several values may be packed, `name:1:2:3|ms`, except in a set, whose value may hold
// colons. Fields after the type come in any order; those that are not known are counted and passed over. Lines that
// start with `_e{` are events, with `_sc|` service checks. A carriage return at the end is no part of the line.
//
// Thread-safety: a pure function. Allocates: no. Blocks: no.
[[nodiscard]] std::expected<Line, DropReason> parse_line(std::string_view line,
                                                         const ParserLimits& limits = {}) noexcept;

}  // namespace bursar::statsd
