#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace bursar::blast {

// Where the traffic goes.
struct TargetAddress {
  enum class Kind : std::uint8_t { kUdp, kTcp, kUnixDatagram };

  Kind kind = Kind::kUdp;
  std::string host;  // or the path of the socket
  std::uint16_t port = 0;
  std::string text;  // as it was given
};

// Reads `udp://HOST:PORT`, `tcp://HOST:PORT` (an IPv6 address in brackets) or `unix:PATH`. The error is one line.
[[nodiscard]] std::expected<TargetAddress, std::string> parse_target(std::string_view text);

}  // namespace bursar::blast
