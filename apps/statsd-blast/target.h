#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <stop_token>
#include <string>
#include <string_view>

#include "target_address.h"

namespace bursar::blast {

// What became of one packet.
struct SendResult {
  enum class Outcome : std::uint8_t {
    kSent,
    kFailed,   // this packet is lost, the next may pass: nobody listens to the datagrams, or there is no memory
    kStopped,  // interrupted before all was taken
    kClosed,   // the connection is gone
  };

  Outcome outcome = Outcome::kSent;
  std::size_t sent_bytes = 0;  // what a stream took, also of a packet that was not sent whole
  int error = 0;               // errno
};

// A connected socket.
//
// Thread-safety: belongs to one thread. Allocates: no. Blocks: in `send`, until the packet is taken.
class Target {
 public:
  // Looks the host up and connects. The error is one line with the target and the reason.
  [[nodiscard]] static std::expected<Target, std::string> connect(const TargetAddress& address);

  // Waits for room in turns of a tenth of a second, and between them asks `is_over()` whether to give up.
  template <typename Predicate>
  [[nodiscard]] SendResult send(std::string_view packet, Predicate&& is_over) {
    SendResult result;
    do {
      result = send_some(packet, result.sent_bytes);
    } while (result.outcome == SendResult::Outcome::kStopped && !is_over());
    return result;
  }

  Target(Target&& other) noexcept : descriptor_(other.descriptor_), is_stream_(other.is_stream_) {
    other.descriptor_ = -1;
  }
  Target& operator=(Target&&) = delete;
  ~Target();

 private:
  Target(int descriptor, bool is_stream) noexcept : descriptor_(descriptor), is_stream_(is_stream) {}
  [[nodiscard]] SendResult send_some(std::string_view packet, std::size_t already_sent);

  int descriptor_;
  bool is_stream_;
};

}  // namespace bursar::blast
