#include <bursar/server/http_server.h>

#include "unit/server/raw_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace bursar {
namespace {

using namespace std::chrono_literals;
using test::RawClient;
using testing::HasSubstr;
using testing::StartsWith;

ApiResponse hello(const ApiRequest&) {
  return {.status = 200, .content_type = "text/plain", .body = "hello", .content_length = std::nullopt, .headers = {}};
}

// Time-outs that no test reaches by accident, so that each test shortens the one that it is about.
HttpServerOptions patient() {
  HttpServerOptions options;
  options.header_timeout = 10min;
  options.idle_timeout = 10min;
  options.linger_timeout = 10min;
  options.write_timeout = 10min;
  return options;
}

HttpServer start(const HttpServerOptions& options, ApiHandler handler = hello) {
  auto server = HttpServer::start(options, std::move(handler));
  EXPECT_TRUE(server.has_value()) << server.error();
  return *std::move(server);
}

template <typename Condition>
void wait_until(Condition condition) {
  while (!condition()) {
    std::this_thread::yield();
  }
}

TEST(HttpServerLimits, GarbageIsAnsweredWith400AndTheConnectionClosed) {
  auto options = patient();
  const HttpServer server = start(options);
  RawClient client(server.port());
  client.send("\x16\x03\x01\x02\x01 this is no HTTP\r\n\r\n");
  client.shutdown_send();
  EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 400 Bad Request\r\n"));
  EXPECT_EQ(server.counters().requests, 0U);
  EXPECT_EQ(server.counters().requests_rejected, 1U);
}

TEST(HttpServerLimits, AnOversizedHeaderIsAnsweredWith431) {
  const HttpServer server = start(patient());
  RawClient client(server.port());
  client.send("GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + std::string(9'000, 'x'));
  EXPECT_EQ(client.read_response().result_int(), 431U);
}

TEST(HttpServerLimits, AnOversizedBodyIsAnsweredWith413ThoughTheClientGoesOnSending) {
  const HttpServer server = start(patient());
  RawClient client(server.port());
  client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n");
  client.send(std::string(200'000, 'x'));
  const auto response = client.read_response();
  EXPECT_EQ(response.result_int(), 413U);
  EXPECT_EQ(response.body(), "body longer than 65536 bytes\n");
}

TEST(HttpServerLimits, AnIncompleteRequestIsAnsweredWith400) {
  const HttpServer server = start(patient());
  RawClient client(server.port());
  client.send("GET / HTTP/1.1\r\nHo");
  client.shutdown_send();
  EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 400 "));
}

TEST(HttpServerLimits, AHeaderThatDoesNotEndInTimeIsAnsweredWith408) {
  auto options = patient();
  options.header_timeout = 50ms;
  const HttpServer server = start(options);
  RawClient client(server.port());
  client.send("GET / HTTP/1.1\r\nHost: x\r\n");
  EXPECT_EQ(client.read_response().result_int(), 408U);
}

TEST(HttpServerLimits, AClientThatTricklesGainsNoTime) {
  auto options = patient();
  options.header_timeout = 50ms;
  const HttpServer server = start(options);
  RawClient client(server.port());
  client.send("GET / HTTP/1.1\r\nHost: x\r\nX: ");
  // Well below the limit of the header, however slowly this thread runs: with a deadline for each byte it never ends.
  while (!client.readable_within(5ms)) {
    ASSERT_TRUE(client.send("x"));
  }
  EXPECT_EQ(client.read_response().result_int(), 408U);
}

TEST(HttpServerLimits, ABodyThatDoesNotEndInTimeIsAnsweredWith408) {
  auto options = patient();
  options.header_timeout = 50ms;
  const HttpServer server = start(options);
  RawClient client(server.port());
  client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_EQ(client.read_response().result_int(), 408U);
}

TEST(HttpServerLimits, AConnectionWithoutAFirstRequestIsClosed) {
  auto options = patient();
  options.header_timeout = 50ms;
  const HttpServer server = start(options);
  RawClient client(server.port());
  EXPECT_EQ(client.read_all(), "");
}

TEST(HttpServerLimits, AnIdleConnectionIsClosedWithoutAWord) {
  auto options = patient();
  options.idle_timeout = 50ms;
  const HttpServer server = start(options);
  RawClient client(server.port());
  EXPECT_EQ(client.get("/").body(), "hello");
  EXPECT_EQ(client.read_all(), "");
}

TEST(HttpServerLimits, ASecondRequestThatDoesNotEndInTimeIsAnsweredWith408) {
  auto options = patient();
  options.header_timeout = 50ms;
  const HttpServer server = start(options);
  RawClient client(server.port());
  client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(client.read_response().result_int(), 200U);
  client.send("GET / HT");
  EXPECT_EQ(client.read_response().result_int(), 408U);
}

TEST(HttpServerLimits, AClientThatDoesNotReadIsCutOff) {
  constexpr std::size_t kBodyBytes = 64 * 1024 * 1024;  // more than the kernel buffers
  auto options = patient();
  options.write_timeout = 50ms;
  const HttpServer server = start(options, [](const ApiRequest&) {
    return ApiResponse{.status = 200,
                       .content_type = "text/plain",
                       .body = std::string(kBodyBytes, 'x'),
                       .content_length = std::nullopt,
                       .headers = {}};
  });
  RawClient client(server.port());
  client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  wait_until([&] { return server.counters().requests == 1; });
  wait_until([&] { return server.counters().connections_open == 0; });
  EXPECT_LT(client.read_all().size(), kBodyBytes);
}

TEST(HttpServerLimits, AClientThatNeverClosesIsNotWaitedForLongerThanTold) {
  auto options = patient();
  options.linger_timeout = 50ms;
  const HttpServer server = start(options);
  RawClient client(server.port());
  client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(client.read_response().body(), "hello");
  wait_until([&] { return server.counters().connections_open == 0; });
}

TEST(HttpServerLimits, OneConnectionTooManyIsAnsweredWith503) {
  auto options = patient();
  options.max_connections = 2;
  const HttpServer server = start(options);
  RawClient first(server.port());
  RawClient second(server.port());
  EXPECT_EQ(first.get("/").body(), "hello");
  EXPECT_EQ(second.get("/").body(), "hello");

  RawClient third(server.port());
  const auto refused = third.read_response();
  EXPECT_EQ(refused.result_int(), 503U);
  EXPECT_EQ(refused["Retry-After"], "1");
  EXPECT_EQ(refused.body(), "all 2 connections are in use\n");
  EXPECT_EQ(first.get("/").body(), "hello") << "those that were there first go on";
  EXPECT_EQ(server.counters().connections_refused, 1U);

  second.close();
  wait_until([&] { return server.counters().connections_open == 1; });
  EXPECT_EQ(RawClient(server.port()).get("/").body(), "hello");
}

TEST(HttpServerLimits, AFloodOfConnectionsHoldsNoMoreThanTheCap) {
  auto options = patient();
  options.max_connections = 4;
  const HttpServer server = start(options);
  std::vector<std::unique_ptr<RawClient>> flood;
  for (int client = 0; client < 300; ++client) {
    flood.push_back(std::make_unique<RawClient>(server.port()));
  }
  wait_until([&] { return server.counters().connections_refused == 296; });
  EXPECT_EQ(server.counters().connections_open, 4U);
  EXPECT_EQ(flood.back()->read_all(), "") << "beyond those that get their 503 the connection is just closed";
  flood.clear();
  wait_until([&] { return server.counters().connections_open == 0; });
  EXPECT_EQ(RawClient(server.port()).get("/").body(), "hello");
}

TEST(HttpServerLimits, RunningOutOfDescriptorsIsSurvivedWithoutSpinning) {
  auto options = patient();
  options.accept_pause = 20ms;
  const HttpServer server = start(options);
  RawClient client(server.port());
  EXPECT_EQ(client.get("/").body(), "hello");
  RawClient waiting(server.port());  // both descriptors are the test's now; the server's is taken when it accepts
  EXPECT_EQ(waiting.get("/").body(), "hello");

  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  ASSERT_GE(socket, 0);
  const rlimit tight{.rlim_cur = static_cast<rlim_t>(socket) + 1, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
  const auto began = std::chrono::steady_clock::now();
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(server.port());
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);

  wait_until([&] { return server.counters().accept_failures >= 4; });
  EXPECT_GE(std::chrono::steady_clock::now() - began, 3 * options.accept_pause);

  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(client.get("/").body(), "hello");
  wait_until([&] { return server.counters().connections_open == 3; });
  ::close(socket);
}

}  // namespace
}  // namespace bursar
