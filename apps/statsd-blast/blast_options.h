#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "line_type.h"
#include "target_address.h"

namespace bursar::blast {

struct BlastOptions {
  TargetAddress target;
  std::uint64_t lines_per_second = 10'000;  // 0: as fast as the target takes them
  std::uint64_t contexts = 1'000;           // 0: each line is a context of its own
  std::vector<LineType> types;              // at least one
  std::chrono::milliseconds duration{0};    // 0: no end by time
  std::uint64_t lines = 0;                  // 0: no end by number
  std::uint64_t seed = 1;
  std::size_t packet_bytes = 1432;
  bool json = false;
};

// Why there is nothing to run: what to print, and with which code to end. Help and version are for standard output.
struct EarlyExit {
  int code = 2;
  std::string text;
};

// Reads the command line. Neither a duration nor a number of lines means ten seconds.
[[nodiscard]] std::expected<BlastOptions, EarlyExit> parse_blast_options(int argc, const char* const* argv);

}  // namespace bursar::blast
