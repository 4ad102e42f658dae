#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstddef>
#include <expected>
#include <list>
#include <string>
#include <string_view>

#include <bursar/bounds/memory_bounds_builder.h>

#include "config/endpoint.h"
#include "intake/line_framer.h"
#include "sources/source.h"

namespace bursar::statsd {

// Binds and listens. The error is one line: "cannot listen on tcp 127.0.0.1:8125: Address already in use".
[[nodiscard]] std::expected<boost::asio::ip::tcp::acceptor, std::string> open_tcp_acceptor(
    const boost::asio::any_io_executor& executor, const Endpoint& endpoint);

// Reads lines from connections. What a connection sends after its last newline counts as a line when it ends. One
// connection more than there may be is closed at once.
class TcpSource final : public Source {
 public:
  TcpSource(std::string_view name, boost::asio::ip::tcp::acceptor acceptor, std::size_t max_connections,
            const SourceContext& context, const ParserLimits& limits, const IntakeDestination& destination);
  ~TcpSource() override;

  void start() override;
  void stop_and_drain(std::chrono::steady_clock::time_point deadline) override;
  [[nodiscard]] const LineIntake& intake() const noexcept override { return intake_; }

  // What a source will take, told before it is made.
  struct Bounds {
    std::size_t max_connections;
    std::size_t max_line_bytes;
    void specify_bounds(MemoryBoundsBuilder& builder) const;
  };

 private:
  // A connection is in the list for as long as its coroutine runs.
  struct Connection {
    Connection(boost::asio::ip::tcp::socket accepted, std::size_t max_line_bytes)
        : socket(std::move(accepted)), framer(max_line_bytes) {}

    boost::asio::ip::tcp::socket socket;
    LineFramer framer;
    boost::asio::cancellation_signal cancelled;
  };
  using Connections = std::list<Connection>;

  boost::asio::awaitable<void> accept_connections();
  boost::asio::awaitable<void> serve(Connections::iterator connection);
  void admit(boost::asio::ip::tcp::socket socket);
  void forget(Connections::iterator connection);
  // Takes what there is, without waiting.
  boost::system::error_code read_some(Connection& connection);
  void take_bytes(Connection& connection, std::size_t bytes);
  void take_rest(Connection& connection);
  void accept_queued();
  void drain(Connection& connection, std::chrono::steady_clock::time_point deadline);

  SourceContext context_;
  std::size_t max_connections_;
  std::size_t max_line_bytes_;
  LineIntake intake_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::cancellation_signal cancelled_;
  Connections connections_;
  bool is_stopping_ = false;
};

}  // namespace bursar::statsd
