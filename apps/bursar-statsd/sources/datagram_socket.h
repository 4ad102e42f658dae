#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "config/endpoint.h"
#include "sources/unique_descriptor.h"

namespace bursar::statsd {

// What one look at a datagram socket brought.
struct ReceivedDatagram {
  enum class Outcome : std::uint8_t { kDatagram, kNothing, kError };

  Outcome outcome = Outcome::kNothing;
  std::size_t bytes = 0;
  bool is_truncated = false;  // it was longer than the buffer
  // How many datagrams the socket had dropped for want of room when this one was queued, modulo 2^32 (SO_RXQ_OVFL).
  std::optional<std::uint32_t> drops;
  int error = 0;
};

// Takes one datagram, if there is one; never waits.
[[nodiscard]] ReceivedDatagram receive_datagram(int descriptor, std::span<char> buffer) noexcept;

// How many datagrams the socket has dropped up to now, modulo 2^32. SO_RXQ_OVFL tells with a datagram what was dropped
// before it; this tells of those after the last one, too.
[[nodiscard]] std::optional<std::uint32_t> dropped_datagrams(int descriptor) noexcept;

struct UdpSocket {
  UniqueDescriptor descriptor;
  Endpoint endpoint;                     // with the port that was chosen
  std::size_t granted_buffer_bytes = 0;  // what the kernel gave, in its own count
};

// Binds, and asks for a receive buffer: beyond net.core.rmem_max where the process may, else up to that.
// The error is one line: "cannot listen on udp 127.0.0.1:8125: Address already in use".
[[nodiscard]] std::expected<UdpSocket, std::string> open_udp_socket(const Endpoint& endpoint,
                                                                    std::size_t receive_buffer_bytes);

}  // namespace bursar::statsd
