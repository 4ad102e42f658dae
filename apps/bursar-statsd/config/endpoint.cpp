#include "config/endpoint.h"

#include <boost/asio/ip/address.hpp>

#include <charconv>
#include <system_error>

#include <bursar/base/in_quotes.h>

namespace bursar::statsd {
namespace {

std::unexpected<std::string> bad_endpoint(std::string_view text, std::string_view reason) {
  return std::unexpected(in_quotes(text) + ": " + std::string(reason) +
                         "; expected HOST:PORT such as 127.0.0.1:8125 or [::1]:8125");
}

}  // namespace

std::expected<Endpoint, std::string> parse_endpoint(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad_endpoint(text, "the port is missing");
  std::string_view host = text.substr(0, colon);
  const bool has_brackets = host.starts_with('[') && host.ends_with(']');
  if (has_brackets) host = host.substr(1, host.size() - 2);
  if (!has_brackets && host.find(':') != std::string_view::npos) {
    return bad_endpoint(text, "an IPv6 address stands in brackets");
  }
  if (host == "localhost") host = "127.0.0.1";
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(std::string(host), error);
  if (error || address.is_v6() != has_brackets) return bad_endpoint(text, "the host is not an IP address");

  Endpoint endpoint{.host = std::string(host)};
  const std::string_view digits = text.substr(colon + 1);
  const char* end = digits.data() + digits.size();
  const auto [stop, number_error] = std::from_chars(digits.data(), end, endpoint.port);
  if (digits.empty() || number_error != std::errc{} || stop != end) {
    return bad_endpoint(text, "the port is not in 0..65535");
  }
  return endpoint;
}

std::string to_string(const Endpoint& endpoint) {
  const bool is_v6 = endpoint.host.find(':') != std::string::npos;
  return (is_v6 ? "[" + endpoint.host + "]" : endpoint.host) + ":" + std::to_string(endpoint.port);
}

}  // namespace bursar::statsd
