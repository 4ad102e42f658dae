#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "line_type.h"

namespace bursar::blast {

// Makes lines as an application would send them; the same arguments make the same lines, on every machine. Each context
// has one type for good, and takes them in turn: context 0 the first, context 1 the second, and so on.
//
// Thread-safety: belongs to one thread. Allocates: its one line. Blocks: no.
class LineGenerator {
 public:
  // `contexts` 0: each line is a context that was not there before. REQUIRES: `types` is not empty.
  LineGenerator(std::uint64_t contexts, std::vector<LineType> types, std::uint64_t seed);

  // The next line, without newline. The view is valid until the next call.
  [[nodiscard]] std::string_view next();

  // The type of the line that came last.
  [[nodiscard]] LineType type() const noexcept { return type_; }

 private:
  void append_value();

  std::uint64_t contexts_;
  std::vector<LineType> types_;
  std::mt19937_64 random_;
  std::uint64_t lines_ = 0;
  LineType type_ = LineType::kCounter;
  std::string line_;
};

}  // namespace bursar::blast
