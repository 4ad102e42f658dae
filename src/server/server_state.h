#pragma once

#include <bursar/server/http_server.h>

#include <boost/asio/generic/stream_protocol.hpp>

#include <atomic>
#include <cstdint>
#include <utility>

namespace bursar::server_detail {

// One kind of socket for all transports: what is served does not depend on how it came.
using Socket = boost::asio::generic::stream_protocol::socket;

// What the listener and its connections share. All counters are statistics: nothing is ordered by them.
struct ServerState {
  ServerState(HttpServerOptions options_in, ApiHandler handler_in)
      : options(std::move(options_in)), handler(std::move(handler_in)) {}

  const HttpServerOptions options;
  const ApiHandler handler;

  std::atomic<std::uint64_t> connections_accepted{0};
  std::atomic<std::uint64_t> connections_refused{0};
  std::atomic<std::uint64_t> accept_failures{0};
  std::atomic<std::uint64_t> requests{0};
  std::atomic<std::uint64_t> requests_rejected{0};
};

inline void count(std::atomic<std::uint64_t>& counter) noexcept {
  counter.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace bursar::server_detail
