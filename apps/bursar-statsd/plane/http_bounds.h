#pragma once

#include <cstdint>
#include <string>

#include <bursar/bounds/memory_bounds_builder.h>
#include <bursar/server/http_server.h>

namespace bursar::statsd {

// How the HTTP server is set up, and what that takes at most. The bodies of its answers to /metrics are not in it: they
// belong to the destination that renders them.
struct HttpBounds {
  [[nodiscard]] static HttpServerOptions server_options(std::string host, std::uint16_t port);

  void specify_bounds(MemoryBoundsBuilder& builder) const;
};

}  // namespace bursar::statsd
