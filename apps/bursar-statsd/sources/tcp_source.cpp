#include "sources/tcp_source.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <utility>

#include <bursar/asio/async_wait_for_capacity.h>
#include <bursar/asio/co_spawn_in_group.h>
#include <bursar/asio/group_executor.h>
#include <bursar/bounds/container_usage.h>

namespace bursar::statsd {

namespace net = boost::asio;
using boost::system::error_code;
using net::ip::tcp;

namespace {

// How long nothing is accepted after the system had no descriptor or memory for a connection.
constexpr std::chrono::milliseconds kAcceptPause{100};

}  // namespace

std::expected<tcp::acceptor, std::string> open_tcp_acceptor(const net::any_io_executor& executor,
                                                            const Endpoint& endpoint) {
  error_code error;
  const auto address = net::ip::make_address(endpoint.host, error);
  tcp::acceptor acceptor(executor);
  const tcp::endpoint name(address, endpoint.port);
  if (!error) acceptor.open(name.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(name, error);
  if (!error) acceptor.listen(net::socket_base::max_listen_connections, error);
  if (!error) acceptor.non_blocking(true, error);
  if (error) return std::unexpected("cannot listen on tcp " + to_string(endpoint) + ": " + error.message());
  return acceptor;
}

TcpSource::TcpSource(std::string_view name, tcp::acceptor acceptor, std::size_t max_connections,
                     const SourceContext& context, const ParserLimits& limits, const IntakeDestination& destination)
    : context_(context),
      max_connections_(max_connections),
      max_line_bytes_(limits.max_line_bytes),
      intake_(name, limits, destination),
      acceptor_(std::move(acceptor)) {}

TcpSource::~TcpSource() = default;

void TcpSource::start() {
  bursar::asio::co_spawn_in_group(
      context_.executor, context_.group, [this] { return accept_connections(); },
      net::bind_cancellation_slot(cancelled_.slot(), net::detached));
}

// The coroutines wait until there is something, and take it themselves: an operation that brought it would hold what it has
// read until its coroutine runs again, and the end of the program could not tell where.
net::awaitable<void> TcpSource::accept_connections() {
  net::steady_timer pause(context_.executor);
  while (!is_stopping_) {
    co_await acceptor_.async_wait(tcp::acceptor::wait_read, net::use_awaitable);
    co_await bursar::asio::async_wait_for_capacity(context_.limiter);
    if (is_stopping_) co_return;
    error_code error;
    tcp::socket socket = acceptor_.accept(context_.executor, error);
    if (!error) {
      admit(std::move(socket));
    } else if (error != net::error::would_block) {
      ++intake_.counters().read_errors;
      pause.expires_after(kAcceptPause);
      co_await pause.async_wait(net::use_awaitable);
    }
  }
}

void TcpSource::admit(tcp::socket socket) {
  SourceCounters& counters = intake_.counters();
  ++counters.connections_accepted;
  if (connections_.size() >= max_connections_) {
    ++counters.connections_rejected;
    return;
  }
  error_code ignored;
  socket.non_blocking(true, ignored);
  connections_.emplace_back(std::move(socket), max_line_bytes_);
  const auto connection = std::prev(connections_.end());
  counters.connections_open = connections_.size();
  bursar::asio::co_spawn_in_group(
      context_.executor, context_.group, [this, connection] { return serve(connection); },
      net::bind_cancellation_slot(connection->cancelled.slot(), [this, connection](const std::exception_ptr&) {
        // Later, since the coroutine that is just ending still knows the signal.
        net::post(bursar::asio::in_group(context_.executor, context_.group),
                  [this, connection] { forget(connection); });
      }));
}

void TcpSource::forget(Connections::iterator connection) {
  connections_.erase(connection);
  intake_.counters().connections_open = connections_.size();
}

net::awaitable<void> TcpSource::serve(Connections::iterator connection) {
  error_code error;
  while (!error) {
    co_await connection->socket.async_wait(tcp::socket::wait_read, net::use_awaitable);
    co_await bursar::asio::async_wait_for_capacity(context_.limiter);
    if (is_stopping_) co_return;
    error = read_some(*connection);
  }
  if (error != net::error::eof) ++intake_.counters().read_errors;
  take_rest(*connection);
}

error_code TcpSource::read_some(Connection& connection) {
  const auto space = connection.framer.free_space();
  error_code error;
  const std::size_t bytes = connection.socket.read_some(net::buffer(space.data(), space.size()), error);
  if (!error) take_bytes(connection, bytes);
  // A false alarm, or nothing left.
  if (error == net::error::would_block) error.clear();
  return error;
}

void TcpSource::take_bytes(Connection& connection, std::size_t bytes) {
  const auto now = std::chrono::steady_clock::now();
  SourceCounters& counters = intake_.counters();
  ++counters.packets;
  counters.bytes += bytes;
  connection.framer.commit(
      bytes, [&](std::string_view line) { intake_.accept_line(line, now); },
      [&](std::string_view start) { intake_.drop_line(DropReason::kOverLong, start, now); });
  intake_.flush(now);
}

void TcpSource::take_rest(Connection& connection) {
  const auto now = std::chrono::steady_clock::now();
  intake_.accept_line(connection.framer.take_rest(), now);
  intake_.flush(now);
}

void TcpSource::stop_and_drain(std::chrono::steady_clock::time_point deadline) {
  const ResourceTrackingGuard guard(context_.group);
  is_stopping_ = true;
  accept_queued();
  error_code ignored;
  acceptor_.close(ignored);
  cancelled_.emit(net::cancellation_type::all);
  for (Connection& connection : connections_) {
    drain(connection, deadline);
    connection.socket.close(ignored);
    connection.cancelled.emit(net::cancellation_type::all);
  }
}

void TcpSource::accept_queued() {
  error_code error;
  while (true) {
    tcp::socket socket = acceptor_.accept(context_.executor, error);
    if (error) return;
    admit(std::move(socket));
  }
}

// A line whose newline has not come yet may be cut anywhere: it is not used, unless the other side has ended it.
void TcpSource::drain(Connection& connection, std::chrono::steady_clock::time_point deadline) {
  error_code error;
  while (std::chrono::steady_clock::now() < deadline && !error) {
    const std::uint64_t packets = intake_.counters().packets;
    error = read_some(connection);
    if (intake_.counters().packets == packets) break;
  }
  if (error == net::error::eof) {
    take_rest(connection);
  } else if (const std::string_view rest = connection.framer.take_rest(); !rest.empty()) {
    intake_.drop_line(DropReason::kTruncated, rest, std::chrono::steady_clock::now());
  }
}

void TcpSource::Bounds::specify_bounds(MemoryBoundsBuilder& builder) const {
  builder.minimum().with_single_value<TcpSource>("source").with_fixed_amount("coroutine", kCoroutineBytes);
  builder.firm().with_expr(UsageExpr::product(
      "connections", UsageExpr::config("tcp_max_connections", max_connections),
      UsageExpr::sum(
          "connection",
          {UsageExpr::config("line_buffer", charged_block_bytes(LineFramer::buffer_bytes(max_line_bytes))),
           UsageExpr::struct_size<Connection>("state"), UsageExpr::constant("coroutine", kCoroutineBytes)})));
}

}  // namespace bursar::statsd
