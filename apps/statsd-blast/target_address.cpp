#include "target_address.h"

#include <charconv>
#include <system_error>

#include <bursar/base/in_quotes.h>

namespace bursar::blast {
namespace {

constexpr std::string_view kForms = "expected udp://HOST:PORT, tcp://HOST:PORT or unix:PATH";

std::unexpected<std::string> bad_target(std::string_view text, std::string_view reason) {
  return std::unexpected("target " + in_quotes(text) + ": " + std::string(reason) + "; " + std::string(kForms));
}

}  // namespace

std::expected<TargetAddress, std::string> parse_target(std::string_view text) {
  TargetAddress address;
  address.text = text;
  std::string_view rest = text;
  if (rest.starts_with("unix:")) {
    rest.remove_prefix(5);
    if (rest.starts_with("//")) rest.remove_prefix(2);
    if (rest.empty()) return bad_target(text, "the path is missing");
    address.kind = TargetAddress::Kind::kUnixDatagram;
    address.host = rest;
    return address;
  }
  if (rest.starts_with("udp://")) {
    address.kind = TargetAddress::Kind::kUdp;
  } else if (rest.starts_with("tcp://")) {
    address.kind = TargetAddress::Kind::kTcp;
  } else {
    return bad_target(text, "unknown scheme");
  }
  rest.remove_prefix(6);
  const std::size_t colon = rest.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return bad_target(text, "the host or the port is missing");
  std::string_view host = rest.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const std::string_view digits = rest.substr(colon + 1);
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, address.port);
  if (error != std::errc{} || stop != end || address.port == 0) return bad_target(text, "the port is not in 1..65535");
  address.host = host;
  return address;
}

}  // namespace bursar::blast
