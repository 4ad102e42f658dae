#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "line_type.h"

namespace bursar::blast {

// Lines that are sent together: each with its newline, as both datagrams and streams take them.
//
// Thread-safety: belongs to one thread. Allocates: up to its size. Blocks: no.
class Packet {
 public:
  explicit Packet(std::size_t max_bytes) : max_bytes_(max_bytes) { text_.reserve(max_bytes + 1); }

  // Whether another line finds room. A line that is longer than a packet gets one of its own.
  [[nodiscard]] bool fits(std::string_view line) const noexcept {
    return lines_ == 0 || text_.size() + line.size() + 1 <= max_bytes_;
  }

  void add(std::string_view line, LineType type) {
    text_.append(line).append("\n");
    ++lines_;
    ++lines_by_type_[static_cast<std::size_t>(type)];
  }

  void clear() noexcept {
    text_.clear();
    lines_ = 0;
    lines_by_type_.fill(0);
  }

  [[nodiscard]] std::string_view text() const noexcept { return text_; }
  [[nodiscard]] std::uint64_t lines() const noexcept { return lines_; }
  [[nodiscard]] const std::array<std::uint64_t, kTypeCodes.size()>& lines_by_type() const noexcept {
    return lines_by_type_;
  }

 private:
  std::size_t max_bytes_;
  std::string text_;
  std::uint64_t lines_ = 0;
  std::array<std::uint64_t, kTypeCodes.size()> lines_by_type_{};
};

}  // namespace bursar::blast
