#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace bursar::test {

using Response = boost::beast::http::response<boost::beast::http::string_body>;

// A client that says exactly what a test wants it to say. Its calls block.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port, const char* host = "127.0.0.1") : socket_(context_) {
    socket_.connect({boost::asio::ip::make_address(host), port});
    buffer_.max_size(1 << 26);
  }

  // False where the server has closed the connection already.
  bool send(std::string_view bytes) {
    boost::system::error_code error;
    boost::asio::write(socket_, boost::asio::buffer(bytes), error);
    return !error;
  }

  Response read_response(bool to_head = false) {
    boost::beast::http::response_parser<boost::beast::http::string_body> parser;
    parser.skip(to_head);
    parser.body_limit(1 << 26);
    boost::beast::http::read(socket_, buffer_, parser);
    return parser.release();
  }

  Response get(const std::string& target) {
    send("GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n");
    return read_response();
  }

  // Everything until the server has closed the connection, or reset it.
  std::string read_all() {
    std::string all(static_cast<const char*>(buffer_.data().data()), buffer_.size());
    char part[4096];
    for (;;) {
      boost::system::error_code error;
      const std::size_t bytes = socket_.read_some(boost::asio::buffer(part), error);
      all.append(part, bytes);
      if (error) {
        return all;
      }
    }
  }

  bool readable_within(std::chrono::milliseconds time) {
    pollfd descriptor{.fd = socket_.native_handle(), .events = POLLIN, .revents = 0};
    return ::poll(&descriptor, 1, static_cast<int>(time.count())) == 1;
  }

  void shutdown_send() { socket_.shutdown(boost::asio::ip::tcp::socket::shutdown_send); }
  void close() { socket_.close(); }
  int descriptor() { return socket_.native_handle(); }

 private:
  boost::asio::io_context context_;
  boost::asio::ip::tcp::socket socket_;
  boost::beast::flat_buffer buffer_;
};

}  // namespace bursar::test
