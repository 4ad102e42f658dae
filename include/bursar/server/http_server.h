#pragma once

#include <bursar/groups/resource_group_token.h>
#include <bursar/report/api_message.h>

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>

namespace bursar {

// How an HttpServer protects the program that it is a guest of.
//
// Thread-safety: a plain value. Allocates: its strings. Blocks: no.
struct HttpServerOptions {
  // An IPv4 or IPv6 address, or "localhost". Names are not looked up: that could block, and bind elsewhere than meant.
  std::string host = "127.0.0.1";
  // 0: one that the system picks, told by `port()`.
  std::uint16_t port = 0;

  // A request line and header fields longer than this are answered with 431, a body longer than this with 413.
  std::size_t max_header_bytes = 8 * 1024;
  std::size_t max_body_bytes = 64 * 1024;
  // Connections served at once. One more is answered with 503 and closed.
  std::size_t max_connections = 256;

  // From the first byte of a request (of a connection's first request: from its acceptance) to the end of its header;
  // again as long for its body. A client that is slower is answered with 408.
  std::chrono::milliseconds header_timeout{10'000};
  // How long a connection may stay without a request, and how long after its last answer a client may go on sending.
  std::chrono::milliseconds idle_timeout{30'000};
  std::chrono::milliseconds linger_timeout{1'000};
  // For the whole of an answer.
  std::chrono::milliseconds write_timeout{10'000};
  // How long no connection is accepted after the system had no descriptor or memory for one.
  std::chrono::milliseconds accept_pause{100};

  // What the server's own thread charges. Without meaning for a server on the caller's executor: hand it an executor
  // of the group (bursar/asio/group_executor.h).
  ResourceGroupToken group;
};

// What a server has done so far.
//
// Thread-safety: a plain value. Allocates: no. Blocks: no.
struct HttpServerCounters {
  std::uint64_t connections_accepted = 0;  // those that were refused included
  std::uint64_t connections_refused = 0;   // one more than `max_connections`
  std::uint64_t connections_open = 0;      // being served now; the only figure here that falls
  std::uint64_t accept_failures = 0;
  std::uint64_t requests = 0;           // that reached the handler
  std::uint64_t requests_rejected = 0;  // malformed, too large or too slow
};

// HTTP/1.1 for one handler: keep-alive, pipelining, HEAD; without TLS. Every answer forbids caching and content
// sniffing.
//
// Thread-safety: all functions may be called from any thread. Allocates: yes, for each connection about its header
// limit. Blocks: see `stop()`.
class HttpServer {
 public:
  // Listens, and serves on a thread of its own. The error is one line: "cannot listen on 127.0.0.1:9102: Address
  // already in use".
  [[nodiscard]] static std::expected<HttpServer, std::string> start(HttpServerOptions options, ApiHandler handler);

  // Listens, and serves on `executor`, which may be run by several threads. Each connection has a strand over it.
  [[nodiscard]] static std::expected<HttpServer, std::string> start(boost::asio::any_io_executor executor,
                                                                    HttpServerOptions options, ApiHandler handler);

  [[nodiscard]] const std::string& host() const noexcept;
  [[nodiscard]] std::uint16_t port() const noexcept;
  [[nodiscard]] HttpServerCounters counters() const noexcept;

  // Closes the port and all connections, requests without an answer included. With a thread of its own it returns when
  // that has ended, which takes no longer than the handler's call in flight. On the caller's executor it returns at
  // once; the connections end as soon as the executor runs, and the handler lives until then.
  // REQUIRES: not called by the handler where the thread is the server's own.
  void stop() noexcept;

  HttpServer(HttpServer&&) noexcept;
  HttpServer& operator=(HttpServer&&) noexcept;
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer();  // stops

 private:
  class OwnThread;
  class Listener;
  HttpServer(std::shared_ptr<Listener> listener, std::unique_ptr<OwnThread> thread) noexcept;

  // The listener's socket belongs to the thread's io_context, and so has to go first.
  std::unique_ptr<OwnThread> thread_;
  std::shared_ptr<Listener> listener_;
};

}  // namespace bursar
