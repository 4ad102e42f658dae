#include "plane/http_bounds.h"

#include <utility>

#include <bursar/bounds/usage_expr.h>

namespace bursar::statsd {
namespace {

constexpr std::size_t kMaxConnections = 32;
constexpr std::size_t kMaxHeaderBytes = 8 * 1024;
// Nobody has a body to send.
constexpr std::size_t kMaxBodyBytes = 1024;

// The listener, the handler and its routes.
constexpr std::size_t kServerBytes = 16 * 1024;
// A connection's session and coroutines beside its buffers, and an answer with the figures of a few dozen components.
constexpr std::size_t kSessionBytes = 32 * 1024;

}  // namespace

HttpServerOptions HttpBounds::server_options(std::string host, std::uint16_t port) {
  HttpServerOptions options;
  options.host = std::move(host);
  options.port = port;
  options.max_header_bytes = kMaxHeaderBytes;
  options.max_body_bytes = kMaxBodyBytes;
  options.max_connections = kMaxConnections;
  return options;
}

void HttpBounds::specify_bounds(MemoryBoundsBuilder& builder) const {
  builder.minimum().with_fixed_amount("server", kServerBytes);
  builder.firm().with_expr(
      UsageExpr::product("connections", UsageExpr::config("max_connections", kMaxConnections),
                         UsageExpr::sum("connection", {UsageExpr::config("max_header_bytes", kMaxHeaderBytes),
                                                       UsageExpr::config("max_body_bytes", kMaxBodyBytes),
                                                       UsageExpr::constant("session", kSessionBytes)})));
}

}  // namespace bursar::statsd
