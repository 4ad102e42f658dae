#include "server/http_session.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/write.hpp>

#include <array>
#include <exception>
#include <string>
#include <utility>

namespace bursar::server_detail {

namespace net = boost::asio;
namespace http = boost::beast::http;

namespace {

// Errors are values here: a client that goes away is nothing exceptional.
constexpr auto kAwaitTuple = net::as_tuple(net::use_awaitable);

}  // namespace

HttpSession::HttpSession(Socket socket, std::shared_ptr<ServerState> state)
    : state_(std::move(state)),
      socket_(std::move(socket)),
      timer_(socket_.get_executor()),
      reader_({.header_bytes = state_->options.max_header_bytes, .body_bytes = state_->options.max_body_bytes}) {}

net::awaitable<void> HttpSession::serve() {
  const auto self = shared_from_this();
  bool keep_alive = true;
  while (keep_alive) {
    reader_.start();
    keep_alive = co_await read_request();
    if (keep_alive) {
      keep_alive = co_await answer();
    }
    first_request_ = false;
  }
  co_await linger();
}

net::awaitable<void> HttpSession::refuse() {
  const auto self = shared_from_this();
  ApiResponse busy{.status = 503,
                   .content_type = "text/plain; charset=utf-8",
                   .body = "all " + std::to_string(state_->options.max_connections) + " connections are in use\n",
                   .content_length = std::nullopt,
                   .headers = {{"Retry-After", "1"}}};
  Response response = make_response(std::move(busy), false);
  co_await write(response, false);
  co_await linger();
}

void HttpSession::stop() {
  net::dispatch(socket_.get_executor(), [self = shared_from_this()] {
    self->disarm();
    self->expired_ = true;
    boost::system::error_code ignored;
    self->socket_.close(ignored);
  });
}

// False where there is no request to answer: the client is gone, or has had its rejection.
net::awaitable<bool> HttpSession::read_request() {
  const HttpServerOptions& options = state_->options;
  bool continued = false;
  arm(first_request_ ? options.header_timeout : options.idle_timeout, OnExpiry::CancelRead);
  bool idle = true;
  bool in_header = true;
  for (;;) {
    auto progress = reader_.advance();
    if (!progress) {
      co_await reject(progress.error());
      co_return false;
    }
    if (*progress == RequestReader::Progress::Complete) {
      co_return true;
    }
    if (idle && reader_.started()) {
      idle = false;
      if (!first_request_) {
        arm(options.header_timeout, OnExpiry::CancelRead);
      }
    }
    if (in_header && reader_.header_complete()) {
      in_header = false;
      arm(options.header_timeout, OnExpiry::CancelRead);
    }
    if (!in_header && !continued && reader_.expects_continue()) {
      continued = true;
      static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
      const auto [error, written] = co_await net::async_write(socket_, net::buffer(kContinue), kAwaitTuple);
      if (error) {
        co_return false;
      }
    }
    if (co_await read_some()) {
      continue;
    }
    if (idle) {
      co_return false;
    }
    const Rejection late{408, "the request took too long to arrive"};
    const Rejection cut{400, "the request is incomplete"};
    co_await reject(expired_ ? late : cut);
    co_return false;
  }
}

// The deadline cancels a read that is waiting, and is looked at before each: it cannot fall between two of them.
net::awaitable<bool> HttpSession::read_some() {
  if (expired_) {
    co_return false;
  }
  const auto [error, bytes] = co_await socket_.async_read_some(reader_.prepare(), kAwaitTuple);
  reader_.commit(bytes);
  co_return !error && !expired_;
}

// Whether the connection goes on.
net::awaitable<bool> HttpSession::answer() {
  count(state_->requests);
  const std::string accept = reader_.field(http::field::accept);
  const bool head = reader_.method() == "HEAD";
  const bool keep_alive = reader_.keep_alive();
  const ApiRequest request{.method = reader_.method(), .target = reader_.target(), .accept = accept};
  Response response = make_response(call_handler(request), keep_alive);
  const bool written = co_await write(response, head);
  co_return written&& keep_alive;
}

net::awaitable<void> HttpSession::reject(const Rejection& rejection) {
  count(state_->requests_rejected);
  ApiResponse answer{.status = rejection.status,
                     .content_type = "text/plain; charset=utf-8",
                     .body = rejection.reason + "\n",
                     .content_length = std::nullopt,
                     .headers = {}};
  Response response = make_response(std::move(answer), false);
  co_await write(response, false);
}

net::awaitable<bool> HttpSession::write(Response& response, bool header_only) {
  arm(state_->options.write_timeout, OnExpiry::Close);
  http::response_serializer<http::string_body> serializer(response);
  if (header_only) {
    const auto [error, bytes] = co_await http::async_write_header(socket_, serializer, kAwaitTuple);
    co_return !error && !expired_;
  }
  const auto [error, bytes] = co_await http::async_write(socket_, serializer, kAwaitTuple);
  co_return !error && !expired_;
}

// Closing a socket with unread bytes resets the connection, and the client may lose the answer that is on its way: so
// say that nothing more comes, and read for a while what the client still sends.
net::awaitable<void> HttpSession::linger() {
  constexpr std::size_t kMostBytes = 256 * 1024;
  boost::system::error_code error;
  socket_.shutdown(Socket::shutdown_send, error);
  if (!error) {
    arm(state_->options.linger_timeout, OnExpiry::CancelRead);
    std::array<char, 1024> discarded{};
    for (std::size_t total = 0; total < kMostBytes && !expired_;) {
      const auto [read_error, bytes] = co_await socket_.async_read_some(net::buffer(discarded), kAwaitTuple);
      if (read_error) {
        break;
      }
      total += bytes;
    }
  }
  socket_.close(error);
}

ApiResponse HttpSession::call_handler(const ApiRequest& request) const {
  std::string failure = "the handler failed";
  try {
    return state_->handler(request);
  } catch (const std::exception& exception) {
    failure.append(": ").append(exception.what());
  } catch (...) {
    failure += " with something that is no std::exception";
  }
  return {.status = 500,
          .content_type = "text/plain; charset=utf-8",
          .body = std::move(failure) + "\n",
          .content_length = std::nullopt,
          .headers = {}};
}

HttpSession::Response HttpSession::make_response(ApiResponse answer, bool keep_alive) const {
  Response response(static_cast<http::status>(answer.status), reader_.header_complete() ? reader_.http_version() : 11);
  const std::size_t length = answer.content_length.value_or(answer.body.size());
  response.set(http::field::content_type, answer.content_type);
  response.set("X-Content-Type-Options", "nosniff");
  response.set(http::field::cache_control, "no-store");
  for (const auto& [name, value] : answer.headers) {
    response.set(name, value);
  }
  response.keep_alive(keep_alive);
  response.content_length(length);
  response.body() = std::move(answer.body);
  return response;
}

void HttpSession::arm(std::chrono::milliseconds delay, OnExpiry action) {
  const std::uint64_t deadline = ++deadline_;
  expired_ = false;
  timer_.expires_after(delay);
  timer_.async_wait([self = shared_from_this(), deadline, action](const boost::system::error_code& error) {
    // A wait that was replaced may have been over already, with its handler in the queue.
    if (error || deadline != self->deadline_) {
      return;
    }
    self->expired_ = true;
    boost::system::error_code ignored;
    if (action == OnExpiry::Close) {
      self->socket_.close(ignored);
    } else {
      self->socket_.cancel(ignored);
    }
  });
}

void HttpSession::disarm() {
  ++deadline_;
  timer_.cancel();
}

}  // namespace bursar::server_detail
