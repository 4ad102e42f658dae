#include <bursar/server/http_server.h>

#include "base/blocked_signals.h"
#include "server/http_listener.h"

#include <boost/asio/io_context.hpp>

#include <pthread.h>

#include <exception>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>

namespace bursar {

// An io_context, and the thread that runs it until nothing is left to do.
class HttpServer::OwnThread {
 public:
  [[nodiscard]] boost::asio::any_io_executor executor() { return context_.get_executor(); }

  // False where the system has no thread to give.
  [[nodiscard]] bool start(ResourceGroupToken group) {
    const BlockedSignals blocked;
    try {
      thread_ = std::thread([this, group] {
        pthread_setname_np(pthread_self(), "bursar-http");
        const ResourceTrackingGuard guard(group);
        run();
      });
    } catch (const std::system_error&) {
      return false;
    }
    return true;
  }

  void join() {
    if (thread_.joinable()) {
      thread_.join();
    }
  }

 private:
  void run() {
    for (;;) {
      try {
        context_.run();
        return;
      } catch (const std::exception&) {
        // Memory ran out between two connections' steps: go on with the others.
        continue;
      }
    }
  }

  boost::asio::io_context context_{1};
  std::thread thread_;
};

std::expected<HttpServer, std::string> HttpServer::start(HttpServerOptions options, ApiHandler handler) {
  auto thread = std::make_unique<OwnThread>();
  const ResourceGroupToken group = options.group;
  auto listener = Listener::listen(thread->executor(), std::move(options), std::move(handler));
  if (!listener) {
    return std::unexpected(std::move(listener.error()));
  }
  (*listener)->start();
  if (!thread->start(group)) {
    return std::unexpected("cannot start a thread for the HTTP server: the system gives no more");
  }
  return HttpServer(*std::move(listener), std::move(thread));
}

std::expected<HttpServer, std::string> HttpServer::start(boost::asio::any_io_executor executor,
                                                         HttpServerOptions options, ApiHandler handler) {
  auto listener = Listener::listen(std::move(executor), std::move(options), std::move(handler));
  if (!listener) {
    return std::unexpected(std::move(listener.error()));
  }
  (*listener)->start();
  return HttpServer(*std::move(listener), nullptr);
}

HttpServer::HttpServer(std::shared_ptr<Listener> listener, std::unique_ptr<OwnThread> thread) noexcept
    : thread_(std::move(thread)), listener_(std::move(listener)) {}

HttpServer::HttpServer(HttpServer&&) noexcept = default;

HttpServer& HttpServer::operator=(HttpServer&& other) noexcept {
  if (this != &other) {
    stop();
    listener_ = std::move(other.listener_);
    thread_ = std::move(other.thread_);
  }
  return *this;
}

HttpServer::~HttpServer() {
  stop();
}

const std::string& HttpServer::host() const noexcept {
  return listener_->host();
}

std::uint16_t HttpServer::port() const noexcept {
  return listener_->port();
}

HttpServerCounters HttpServer::counters() const noexcept {
  return listener_->counters();
}

void HttpServer::stop() noexcept {
  if (listener_) {
    listener_->stop();
  }
  if (thread_) {
    thread_->join();
  }
}

}  // namespace bursar
