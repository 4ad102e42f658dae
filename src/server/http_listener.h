#pragma once

#include "server/http_session.h"
#include "server/server_state.h"

#include <bursar/server/http_server.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

#include <cstdint>
#include <expected>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>

namespace bursar {

// The listening socket and the connections that came of it.
//
// Thread-safety: all functions may be called from any thread. Allocates: yes. Blocks: for a lock that guards the set of
// connections.
class HttpServer::Listener : public std::enable_shared_from_this<HttpServer::Listener> {
 public:
  [[nodiscard]] static std::expected<std::shared_ptr<Listener>, std::string> listen(
      boost::asio::any_io_executor executor, HttpServerOptions options, ApiHandler handler);
  Listener(boost::asio::any_io_executor executor, HttpServerOptions options, ApiHandler handler);

  void start();
  void stop();

  [[nodiscard]] const std::string& host() const noexcept { return state_->options.host; }
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] HttpServerCounters counters() const;

 private:
  using Session = server_detail::HttpSession;
  enum class Admission : std::uint8_t { Serve, Refuse, Drop };

  [[nodiscard]] std::expected<void, std::string> open();
  boost::asio::awaitable<void> accept_connections();
  boost::asio::awaitable<bool> accept_one();
  void admit(server_detail::Socket socket);
  [[nodiscard]] Admission admission(const std::shared_ptr<Session>& session);
  void finished(const std::shared_ptr<Session>& session);

  const boost::asio::any_io_executor executor_;
  const boost::asio::any_io_executor strand_;
  const std::shared_ptr<server_detail::ServerState> state_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer pause_;
  std::uint16_t port_ = 0;

  mutable std::mutex mutex_;
  bool stopping_ = false;
  std::unordered_set<std::shared_ptr<Session>> serving_;
  std::unordered_set<std::shared_ptr<Session>> refusing_;
};

}  // namespace bursar
