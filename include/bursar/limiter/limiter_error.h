#pragma once

#include <string>
#include <utility>

namespace bursar {

// Why a limiter could not be made: one line that says what was wrong, with the value, and what would be right.
//
// Thread-safety: as a value. Allocates: its text. Blocks: no.
class LimiterError {
 public:
  explicit LimiterError(std::string message) : message_(std::move(message)) {}

  [[nodiscard]] const std::string& message() const noexcept { return message_; }

 private:
  std::string message_;
};

}  // namespace bursar
