#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace bursar::statsd {

// Cuts a stream into lines, in a buffer of fixed size. A line that is longer than allowed is passed over up to its
// newline, and told of once.
//
// Thread-safety: belongs to one thread. Allocates: its buffer, when made. Blocks: no.
class LineFramer {
 public:
  // Room for several lines of the greatest length, so that a read brings more than one.
  [[nodiscard]] static constexpr std::size_t buffer_bytes(std::size_t max_line_bytes) noexcept {
    return 2 * (max_line_bytes + 1);
  }

  explicit LineFramer(std::size_t max_line_bytes)
      : buffer_(buffer_bytes(max_line_bytes)), max_line_bytes_(max_line_bytes) {}

  // Where the stream's next bytes go: never empty. Lines handed out before become invalid.
  [[nodiscard]] std::span<char> free_space() noexcept {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    return std::span(buffer_).subspan(end_);
  }

  // `bytes` were written to the free space: calls `on_line(line)` for each line that is complete now, and
  // `on_over_long(start_of_line)` for one that is longer than allowed.
  template <typename OnLine, typename OnOverLong>
  void commit(std::size_t bytes, OnLine&& on_line, OnOverLong&& on_over_long) {
    std::size_t scan = end_;
    end_ += bytes;
    while (const void* found = std::memchr(buffer_.data() + scan, '\n', end_ - scan)) {
      const auto newline = static_cast<std::size_t>(static_cast<const char*>(found) - buffer_.data());
      if (is_skipping_) {
        is_skipping_ = false;
      } else {
        on_line(std::string_view(buffer_.data() + begin_, newline - begin_));
      }
      begin_ = scan = newline + 1;
    }
    if (!is_skipping_ && end_ - begin_ > max_line_bytes_ + kCarriageReturn) {
      on_over_long(std::string_view(buffer_.data() + begin_, end_ - begin_));
      is_skipping_ = true;
    }
    if (is_skipping_) begin_ = end_;
  }

  // Takes out what the stream ended with, if that was no newline; empty otherwise.
  [[nodiscard]] std::string_view take_rest() noexcept {
    const std::string_view rest(buffer_.data() + begin_, end_ - begin_);
    begin_ = end_;
    return rest;
  }

 private:
  static constexpr std::size_t kCarriageReturn = 1;  // may end a line and is not counted

  std::vector<char> buffer_;
  std::size_t max_line_bytes_;
  std::size_t begin_ = 0;  // of the line that is not complete yet
  std::size_t end_ = 0;
  bool is_skipping_ = false;
};

}  // namespace bursar::statsd
