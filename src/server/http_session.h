#pragma once

#include "server/request_reader.h"
#include "server/server_state.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>

namespace bursar::server_detail {

// One connection, from its acceptance to its close.
//
// Thread-safety: everything but `stop()` runs on the socket's executor, which is a strand. Allocates: yes. Blocks: no.
class HttpSession : public std::enable_shared_from_this<HttpSession> {
 public:
  HttpSession(Socket socket, std::shared_ptr<ServerState> state);

  // Serves requests until one side has had enough. Throws only what memory that has run out makes it throw.
  boost::asio::awaitable<void> serve();
  // Answers 503 and closes.
  boost::asio::awaitable<void> refuse();
  // Closes the connection soon, whatever it is doing.
  void stop();

  [[nodiscard]] boost::asio::any_io_executor executor() { return socket_.get_executor(); }

 private:
  using Response = boost::beast::http::response<boost::beast::http::string_body>;
  enum class OnExpiry : std::uint8_t { CancelRead, Close };

  boost::asio::awaitable<bool> read_request();
  boost::asio::awaitable<bool> read_some();
  boost::asio::awaitable<bool> answer();
  boost::asio::awaitable<void> reject(const Rejection& rejection);
  boost::asio::awaitable<bool> write(Response& response, bool header_only);
  boost::asio::awaitable<void> linger();

  [[nodiscard]] ApiResponse call_handler(const ApiRequest& request) const;
  [[nodiscard]] Response make_response(ApiResponse answer, bool keep_alive) const;

  void arm(std::chrono::milliseconds delay, OnExpiry action);
  void disarm();

  const std::shared_ptr<ServerState> state_;
  Socket socket_;
  boost::asio::steady_timer timer_;
  std::uint64_t deadline_ = 0;  // the number of the deadline that is armed
  bool expired_ = false;
  bool first_request_ = true;
  RequestReader reader_;
};

}  // namespace bursar::server_detail
