#include <bursar/server/http_server.h>

#include "unit/server/raw_client.h"

#include <boost/asio/io_context.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>

namespace bursar {
namespace {

using namespace std::chrono_literals;
using test::RawClient;

HttpServerOptions patient() {
  HttpServerOptions options;
  options.header_timeout = 10min;
  options.idle_timeout = 10min;
  options.linger_timeout = 10min;
  options.write_timeout = 10min;
  return options;
}

ApiHandler long_answer(std::size_t bytes) {
  return [bytes](const ApiRequest&) {
    return ApiResponse{.status = 200,
                       .content_type = "text/plain",
                       .body = std::string(bytes, 'x'),
                       .content_length = std::nullopt,
                       .headers = {}};
  };
}

HttpServer start(ApiHandler handler) {
  auto server = HttpServer::start(patient(), std::move(handler));
  EXPECT_TRUE(server.has_value()) << server.error();
  return *std::move(server);
}

template <typename Condition>
void wait_until(Condition condition) {
  while (!condition()) {
    std::this_thread::yield();
  }
}

TEST(HttpServerStop, EndsConnectionsInEveryState) {
  HttpServer server = start(long_answer(64 * 1024 * 1024));
  RawClient silent(server.port());
  RawClient in_header(server.port());
  in_header.send("GET / HT");
  RawClient not_reading(server.port());
  not_reading.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  RawClient lingering(server.port());
  lingering.send("nonsense\r\n\r\n");
  EXPECT_EQ(lingering.read_response().result_int(), 400U);
  wait_until([&] { return server.counters().connections_open == 4 && server.counters().requests == 1; });

  server.stop();

  EXPECT_EQ(server.counters().connections_open, 0U);
  EXPECT_EQ(silent.read_all(), "");
  EXPECT_EQ(in_header.read_all(), "");
  EXPECT_LT(not_reading.read_all().size(), 64U * 1024 * 1024);
  EXPECT_EQ(lingering.read_all(), "");
}

TEST(HttpServerStop, FreesThePort) {
  HttpServer server = start(long_answer(5));
  RawClient client(server.port());
  EXPECT_EQ(client.get("/").body(), "xxxxx");
  server.stop();
  auto options = patient();
  options.port = server.port();
  const auto successor = HttpServer::start(options, long_answer(3));
  ASSERT_TRUE(successor.has_value()) << successor.error();
  EXPECT_EQ(RawClient(successor->port()).get("/").body(), "xxx");
}

TEST(HttpServerStop, MayBeCalledAgain) {
  HttpServer server = start(long_answer(5));
  server.stop();
  server.stop();
}

TEST(HttpServerStop, MovingHandsTheServerOn) {
  HttpServer first = start(long_answer(1));
  const std::uint16_t port = first.port();
  HttpServer second = start(long_answer(2));
  second = std::move(first);
  EXPECT_EQ(second.port(), port);
  EXPECT_EQ(RawClient(port).get("/").body(), "x");
}

TEST(HttpServerStop, LetsACallersContextRunOutOfWork) {
  boost::asio::io_context context;
  auto server = HttpServer::start(context.get_executor(), patient(), long_answer(64 * 1024 * 1024));
  ASSERT_TRUE(server.has_value()) << server.error();
  std::thread runner([&] { context.run(); });
  RawClient silent(server->port());
  RawClient not_reading(server->port());
  not_reading.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  wait_until([&] { return server->counters().connections_open == 2 && server->counters().requests == 1; });
  server->stop();
  runner.join();
  EXPECT_EQ(server->counters().connections_open, 0U);
}

TEST(HttpServerStop, OnAContextThatNeverRunsLeavesNothingBehind) {
  const auto alive = std::make_shared<int>(0);
  {
    boost::asio::io_context context;
    auto server =
        HttpServer::start(context.get_executor(), patient(), [alive](const ApiRequest&) { return ApiResponse{}; });
    ASSERT_TRUE(server.has_value()) << server.error();
    RawClient client(server->port());
  }
  EXPECT_EQ(alive.use_count(), 1);
}

TEST(HttpServerStop, OfTheContextDropsItsConnections) {
  const auto alive = std::make_shared<int>(0);
  {
    boost::asio::io_context context;
    auto server = HttpServer::start(context.get_executor(), patient(), [alive](const ApiRequest&) {
      return ApiResponse{.status = 200, .content_type = "", .body = "x", .content_length = {}, .headers = {}};
    });
    ASSERT_TRUE(server.has_value()) << server.error();
    std::thread runner([&] { context.run(); });
    RawClient client(server->port());
    EXPECT_EQ(client.get("/").body(), "x");
    context.stop();
    runner.join();
  }
  EXPECT_EQ(alive.use_count(), 1);
}

}  // namespace
}  // namespace bursar
