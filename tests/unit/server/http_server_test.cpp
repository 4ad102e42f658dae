#include <bursar/server/http_server.h>

#include <bursar/asio/group_executor.h>
#include <bursar/groups/resource_group_registry.h>

#include "unit/server/raw_client.h"

#include <boost/asio/thread_pool.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace bursar {
namespace {

using test::RawClient;
using testing::HasSubstr;

// Says back what it was asked.
ApiResponse echo(const ApiRequest& request) {
  return {.status = 200,
          .content_type = "text/plain",
          .body = std::string(request.method) + " " + std::string(request.target) + " " + std::string(request.accept),
          .content_length = std::nullopt,
          .headers = {}};
}

HttpServer start(ApiHandler handler = echo) {
  auto server = HttpServer::start(HttpServerOptions{}, std::move(handler));
  EXPECT_TRUE(server.has_value()) << server.error();
  return *std::move(server);
}

TEST(HttpServer, TellsTheHandlerMethodTargetAndAccept) {
  const HttpServer server = start();
  RawClient client(server.port());
  client.send("GET /a/b?c=d HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\n\r\n");
  EXPECT_EQ(client.read_response().body(), "GET /a/b?c=d text/html");
}

TEST(HttpServer, SendsStatusTypeBodyAndFieldsOfTheHandler) {
  const HttpServer server = start([](const ApiRequest&) {
    return ApiResponse{.status = 405,
                       .content_type = "application/json",
                       .body = "{}",
                       .content_length = std::nullopt,
                       .headers = {{"Allow", "GET, HEAD"}}};
  });
  const auto response = RawClient(server.port()).get("/");
  EXPECT_EQ(response.result_int(), 405U);
  EXPECT_EQ(response["Content-Type"], "application/json");
  EXPECT_EQ(response["Content-Length"], "2");
  EXPECT_EQ(response["Allow"], "GET, HEAD");
  EXPECT_EQ(response.body(), "{}");
}

TEST(HttpServer, ForbidsCachingAndSniffing) {
  const HttpServer server = start();
  const auto response = RawClient(server.port()).get("/");
  EXPECT_EQ(response["X-Content-Type-Options"], "nosniff");
  EXPECT_EQ(response["Cache-Control"], "no-store");
}

TEST(HttpServer, AnswersHeadWithTheLengthAndWithoutTheBody) {
  const HttpServer server = start();
  RawClient client(server.port());
  client.send("HEAD /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string answer = client.read_all();
  EXPECT_THAT(answer, HasSubstr("Content-Length: 8\r\n"));
  EXPECT_TRUE(answer.ends_with("\r\n\r\n")) << answer;
}

TEST(HttpServer, AnswersHeadWithTheLengthThatTheHandlerTells) {
  const HttpServer server = start([](const ApiRequest&) {
    return ApiResponse{.status = 200, .content_type = "text/plain", .body = "", .content_length = 1234, .headers = {}};
  });
  RawClient client(server.port());
  client.send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(client.read_response(true)["Content-Length"], "1234");
}

TEST(HttpServer, KeepsTheConnectionForTheNextRequest) {
  const HttpServer server = start();
  RawClient client(server.port());
  EXPECT_EQ(client.get("/a").body(), "GET /a ");
  EXPECT_EQ(client.get("/b").body(), "GET /b ");
  EXPECT_EQ(server.counters().connections_accepted, 1U);
  EXPECT_EQ(server.counters().requests, 2U);
}

TEST(HttpServer, AnswersPipelinedRequestsInTheirOrder) {
  const HttpServer server = start();
  RawClient client(server.port());
  std::string requests;
  for (int number = 0; number < 200; ++number) {
    requests += "GET /" + std::to_string(number) + " HTTP/1.1\r\nHost: x\r\n\r\n";
  }
  client.send(requests);
  for (int number = 0; number < 200; ++number) {
    ASSERT_EQ(client.read_response().body(), "GET /" + std::to_string(number) + " ");
  }
}

TEST(HttpServer, ClosesWhenAskedTo) {
  const HttpServer server = start();
  RawClient client(server.port());
  client.send("GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(client.read_all(), HasSubstr("Connection: close\r\n"));
}

TEST(HttpServer, ClosesAfterAnHttp10Request) {
  const HttpServer server = start();
  RawClient client(server.port());
  client.send("GET /a HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(client.read_all().ends_with("\r\n\r\nGET /a "));
}

TEST(HttpServer, AnswersAClientThatHasClosedItsSide) {
  const HttpServer server = start();
  RawClient client(server.port());
  client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n");
  client.shutdown_send();
  EXPECT_EQ(client.read_response().body(), "GET /a ");
  EXPECT_EQ(client.read_response().body(), "GET /b ");
  EXPECT_EQ(client.read_all(), "");
}

TEST(HttpServer, SkipsABodyAndAnswersTheNextRequest) {
  const HttpServer server = start();
  RawClient client(server.port());
  client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 20000\r\n\r\n" + std::string(20'000, 'x'));
  EXPECT_EQ(client.read_response().body(), "POST /a ");
  EXPECT_EQ(client.get("/b").body(), "GET /b ");
}

TEST(HttpServer, TellsAClientThatAsksToGoOnWithItsBody) {
  const HttpServer server = start();
  RawClient client(server.port());
  client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read_response(true).result_int(), 100U);
  client.send("abc");
  EXPECT_EQ(client.read_response().body(), "POST /a ");
}

TEST(HttpServer, AnswersAnExceptionOfTheHandlerWith500AndGoesOn) {
  const HttpServer server = start([](const ApiRequest& request) -> ApiResponse {
    if (request.target == "/bad") {
      throw std::runtime_error("no luck");
    }
    if (request.target == "/worse") {
      throw 42;
    }
    return echo(request);
  });
  RawClient client(server.port());
  const auto failed = client.get("/bad");
  EXPECT_EQ(failed.result_int(), 500U);
  EXPECT_EQ(failed.body(), "the handler failed: no luck\n");
  EXPECT_EQ(client.get("/worse").result_int(), 500U);
  EXPECT_EQ(client.get("/good").result_int(), 200U);
}

TEST(HttpServer, SurvivesAClientThatGoesAwayInTheMiddle) {
  const HttpServer server = start();
  {
    RawClient client(server.port());
    client.send("GET /a HTT");
  }
  {
    RawClient client(server.port());
    client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
    const linger reset{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(client.descriptor(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  }
  EXPECT_EQ(RawClient(server.port()).get("/b").body(), "GET /b ");
}

TEST(HttpServer, RunsNoSignalHandlersOnItsThread) {
  std::atomic<bool> blocked{false};
  const HttpServer server = start([&](const ApiRequest& request) {
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    blocked = sigismember(&mask, SIGTERM) == 1 && sigismember(&mask, SIGINT) == 1;
    return echo(request);
  });
  RawClient(server.port()).get("/");
  EXPECT_TRUE(blocked);
}

TEST(HttpServer, ListensOnIpv6) {
  HttpServerOptions options;
  options.host = "::1";
  auto server = HttpServer::start(options, echo);
  if (!server) {
    GTEST_SKIP() << "no IPv6 here: " << server.error();
  }
  EXPECT_EQ(RawClient(server->port(), "::1").get("/a").body(), "GET /a ");
}

TEST(HttpServer, APortInUseIsAnErrorThatNamesIt) {
  const HttpServer first = start();
  HttpServerOptions options;
  options.port = first.port();
  const auto second = HttpServer::start(options, echo);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error(), "cannot listen on 127.0.0.1:" + std::to_string(first.port()) + ": address already in use");
}

TEST(HttpServer, AHostThatIsNoAddressIsAnErrorThatSaysWhatIs) {
  HttpServerOptions options;
  options.host = "example.org";
  options.port = 80;
  const auto server = HttpServer::start(options, echo);
  ASSERT_FALSE(server.has_value());
  EXPECT_EQ(server.error(),
            "cannot listen on example.org:80: \"example.org\" is not an IP address; give one such as 127.0.0.1 or ::1, "
            "or localhost");
}

TEST(HttpServer, AnAddressOfAnotherMachineIsAnError) {
  HttpServerOptions options;
  options.host = "192.0.2.1";
  const auto server = HttpServer::start(options, echo);
  ASSERT_FALSE(server.has_value());
  EXPECT_EQ(server.error(), "cannot listen on 192.0.2.1:0: cannot assign requested address");
}

TEST(HttpServer, ServesManyClientsOnAPoolOfThreads) {
  boost::asio::thread_pool pool(4);
  auto server = HttpServer::start(pool.get_executor(), HttpServerOptions{}, echo);
  ASSERT_TRUE(server.has_value()) << server.error();
  std::atomic<int> right{0};
  {
    std::vector<std::jthread> clients;
    for (int client = 0; client < 8; ++client) {
      clients.emplace_back([&, client] {
        RawClient raw(server->port());
        for (int request = 0; request < 50; ++request) {
          const std::string target = "/" + std::to_string(client) + "/" + std::to_string(request);
          right += raw.get(target).body() == "GET " + target + " " ? 1 : 0;
        }
      });
    }
  }
  EXPECT_EQ(right, 8 * 50);
  server->stop();
  pool.join();
}

TEST(HttpServer, CallsTheHandlerInsideTheExecutorsGroup) {
  const auto token = ResourceGroupRegistry::global().register_resource_group("http_server_test.api");
  boost::asio::thread_pool pool(2);
  std::atomic<bool> inside{false};
  auto server = HttpServer::start(asio::in_group(pool, token), HttpServerOptions{}, [&](const ApiRequest& request) {
    inside = ResourceGroupToken::current() == token;
    return echo(request);
  });
  ASSERT_TRUE(server.has_value()) << server.error();
  RawClient(server->port()).get("/");
  EXPECT_TRUE(inside);
  server->stop();
  pool.join();
}

TEST(HttpServer, CallsTheHandlerInsideTheGroupOfItsThread) {
  HttpServerOptions options;
  options.group = ResourceGroupRegistry::global().register_resource_group("http_server_test.thread");
  std::atomic<bool> inside{false};
  const auto server = HttpServer::start(options, [&, token = options.group](const ApiRequest& request) {
    inside = ResourceGroupToken::current() == token;
    return echo(request);
  });
  ASSERT_TRUE(server.has_value()) << server.error();
  RawClient(server->port()).get("/");
  EXPECT_TRUE(inside);
}

}  // namespace
}  // namespace bursar
