#include "server/http_listener.h"

#include <bursar/base/in_quotes.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace bursar {

namespace net = boost::asio;
using net::ip::tcp;
using server_detail::count;
using server_detail::Socket;

namespace {

constexpr auto kAwaitTuple = net::as_tuple(net::use_awaitable);

// Connections that get their 503 and are waited for, so that it arrives. Beyond that they are closed without a word.
constexpr std::size_t kMaxRefusing = 32;

std::string where(const HttpServerOptions& options) {
  const bool is_ipv6 = options.host.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + options.host + "]" : options.host) + ":" + std::to_string(options.port);
}

std::optional<net::ip::address> parse_host(const std::string& host) {
  boost::system::error_code error;
  const auto address = net::ip::make_address(host == "localhost" ? "127.0.0.1" : host, error);
  return error ? std::nullopt : std::optional(address);
}

// The system's text as the end of a sentence: "address already in use".
std::string lower_first(std::string text) {
  if (!text.empty() && text.front() >= 'A' && text.front() <= 'Z') {
    text.front() = static_cast<char>(text.front() - 'A' + 'a');
  }
  return text;
}

}  // namespace

std::expected<std::shared_ptr<HttpServer::Listener>, std::string> HttpServer::Listener::listen(
    net::any_io_executor executor, HttpServerOptions options, ApiHandler handler) {
  auto listener = std::make_shared<Listener>(std::move(executor), std::move(options), std::move(handler));
  if (auto opened = listener->open(); !opened) {
    return std::unexpected(std::move(opened.error()));
  }
  return listener;
}

HttpServer::Listener::Listener(net::any_io_executor executor, HttpServerOptions options, ApiHandler handler)
    : executor_(std::move(executor)),
      strand_(net::make_strand(executor_)),
      state_(std::make_shared<server_detail::ServerState>(std::move(options), std::move(handler))),
      acceptor_(strand_),
      pause_(strand_) {}

std::expected<void, std::string> HttpServer::Listener::open() {
  const HttpServerOptions& options = state_->options;
  const std::string failure = "cannot listen on " + where(options) + ": ";
  const auto address = parse_host(options.host);
  if (!address) {
    return std::unexpected(failure + in_quotes(options.host) +
                           " is not an IP address; give one such as 127.0.0.1 or ::1, or localhost");
  }
  const tcp::endpoint endpoint(*address, options.port);
  boost::system::error_code error;
  acceptor_.open(endpoint.protocol(), error);
  if (!error) {
    acceptor_.set_option(net::socket_base::reuse_address(true), error);
  }
  if (!error) {
    acceptor_.bind(endpoint, error);
  }
  if (!error) {
    acceptor_.listen(net::socket_base::max_listen_connections, error);
  }
  if (!error) {
    port_ = acceptor_.local_endpoint(error).port();
  }
  if (error) {
    return std::unexpected(failure + lower_first(error.message()));
  }
  return {};
}

void HttpServer::Listener::start() {
  net::co_spawn(
      strand_, [self = shared_from_this()] { return self->accept_connections(); },
      [self = shared_from_this()](const std::exception_ptr&) {});
}

void HttpServer::Listener::stop() {
  std::vector<std::shared_ptr<Session>> sessions;
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(stopping_, true)) {
      return;
    }
    sessions.assign(serving_.begin(), serving_.end());
    sessions.insert(sessions.end(), refusing_.begin(), refusing_.end());
  }
  net::dispatch(strand_, [self = shared_from_this()] {
    boost::system::error_code ignored;
    self->acceptor_.close(ignored);
    self->pause_.cancel();
  });
  for (const auto& session : sessions) {
    session->stop();
  }
}

HttpServerCounters HttpServer::Listener::counters() const {
  constexpr auto kRelaxed = std::memory_order_relaxed;  // statistics
  HttpServerCounters counters{.connections_accepted = state_->connections_accepted.load(kRelaxed),
                              .connections_refused = state_->connections_refused.load(kRelaxed),
                              .connections_open = 0,
                              .accept_failures = state_->accept_failures.load(kRelaxed),
                              .requests = state_->requests.load(kRelaxed),
                              .requests_rejected = state_->requests_rejected.load(kRelaxed)};
  const std::lock_guard lock(mutex_);
  counters.connections_open = serving_.size();
  return counters;
}

net::awaitable<void> HttpServer::Listener::accept_connections() {
  bool exhausted = false;
  while (acceptor_.is_open()) {
    try {
      if (std::exchange(exhausted, false)) {
        // The connection that could not be had is still in the backlog: the next accept would fail at once, and so on.
        pause_.expires_after(state_->options.accept_pause);
        co_await pause_.async_wait(kAwaitTuple);
      }
      exhausted = co_await accept_one();
    } catch (const std::bad_alloc&) {
      count(state_->accept_failures);
      exhausted = true;
    }
  }
}

// Whether the system lacks what a connection takes.
net::awaitable<bool> HttpServer::Listener::accept_one() {
  Socket socket{net::any_io_executor(net::make_strand(executor_))};
  const auto [error] = co_await acceptor_.async_accept(socket, kAwaitTuple);
  if (!acceptor_.is_open()) {
    co_return false;
  }
  if (error) {
    count(state_->accept_failures);
    co_return error == boost::system::errc::too_many_files_open ||
        error == boost::system::errc::too_many_files_open_in_system || error == boost::system::errc::no_buffer_space ||
        error == boost::system::errc::not_enough_memory;
  }
  count(state_->connections_accepted);
  boost::system::error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  admit(std::move(socket));
  co_return false;
}

void HttpServer::Listener::admit(Socket socket) {
  const auto session = std::make_shared<Session>(std::move(socket), state_);
  const Admission admitted = admission(session);
  if (admitted == Admission::Drop) {
    return;
  }
  const bool serve = admitted == Admission::Serve;
  net::co_spawn(
      session->executor(), [session, serve] { return serve ? session->serve() : session->refuse(); },
      [self = shared_from_this(), session](const std::exception_ptr&) {
        session->stop();
        self->finished(session);
      });
}

HttpServer::Listener::Admission HttpServer::Listener::admission(const std::shared_ptr<Session>& session) {
  const std::lock_guard lock(mutex_);
  if (stopping_) {
    return Admission::Drop;
  }
  if (serving_.size() < state_->options.max_connections) {
    serving_.insert(session);
    return Admission::Serve;
  }
  count(state_->connections_refused);
  if (refusing_.size() < kMaxRefusing) {
    refusing_.insert(session);
    return Admission::Refuse;
  }
  return Admission::Drop;
}

void HttpServer::Listener::finished(const std::shared_ptr<Session>& session) {
  const std::lock_guard lock(mutex_);
  serving_.erase(session);
  refusing_.erase(session);
}

}  // namespace bursar
