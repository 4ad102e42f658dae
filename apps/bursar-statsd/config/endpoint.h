#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace bursar::statsd {

// An address to listen on.
struct Endpoint {
  std::string host;  // an IPv4 or IPv6 address, without brackets
  std::uint16_t port = 0;

  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

// Reads "127.0.0.1:8125", "[::1]:8125" or "localhost:8125"; port 0 lets the system choose. Other names are not looked
// up: that could block, and listen elsewhere than meant. The error is one line with the text and the right form.
[[nodiscard]] std::expected<Endpoint, std::string> parse_endpoint(std::string_view text);

// "127.0.0.1:8125", "[::1]:8125".
[[nodiscard]] std::string to_string(const Endpoint& endpoint);

}  // namespace bursar::statsd
