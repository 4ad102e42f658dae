#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/local/datagram_protocol.hpp>
#include <boost/asio/write.hpp>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "unit/apps/statsd/program.h"
#include "unit/apps/statsd/wait_until.h"
#include "unit/server/raw_client.h"

namespace bursar::statsd::test {
namespace {

namespace net = boost::asio;
using nlohmann::json;

class BursarStatsd : public testing::Test {
 protected:
  // All sources on free ports.
  Program& start(std::vector<std::string> more = {}, const std::map<std::string, std::string>& environment = {}) {
    std::vector<std::string> arguments = {"--udp", "127.0.0.1:0", "--tcp", "127.0.0.1:0", "--http", "127.0.0.1:0"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    program_ = std::make_unique<Program>(BURSAR_STATSD_PROGRAM, arguments, environment);
    return *program_;
  }

  void send_udp(const std::string& text) {
    net::ip::udp::socket socket(io_, net::ip::udp::v4());
    socket.send_to(net::buffer(text), {net::ip::make_address("127.0.0.1"), program_->port("udp")});
  }

  std::string get(const std::string& target) {
    bursar::test::RawClient client(program_->port("http"));
    return client.get(target).body();
  }

  // What follows `series` in /metrics; empty where it is not there.
  std::string metric(const std::string& series) {
    const std::string text = "\n" + get("/metrics");
    const std::size_t at = text.find("\n" + series + " ");
    if (at == std::string::npos) return "";
    const std::size_t value = at + series.size() + 2;
    return text.substr(value, text.find('\n', value) - value);
  }

  void expect_metric(const std::string& series, const std::string& value) {
    wait_until([&] { return metric(series) == value || ::testing::Test::HasFailure(); });
  }

  std::string line_counter(const std::string& source) { return "bursar_statsd_lines_total{source=\"" + source + "\"}"; }

  net::io_context io_;
  std::unique_ptr<Program> program_;
};

TEST_F(BursarStatsd, ShowsWhatCameOverUdp) {
  start();
  send_udp("page.views:1|c|@0.5|#env:prod\npage.views:3|c|#env:prod\nqueue:7|g\nqueue:-2|g\nusers:a|s\nusers:b|s");
  expect_metric(line_counter("udp"), "6");
  EXPECT_EQ(metric("page_views{env=\"prod\"}"), "5");
  EXPECT_EQ(metric("queue"), "5");
  EXPECT_EQ(metric("users"), "2");
  EXPECT_EQ(metric("bursar_statsd_contexts"), "3");
}

TEST_F(BursarStatsd, ShowsWhatCameOverTcpTheLastLineWithoutNewlineToo) {
  start();
  {
    net::ip::tcp::socket socket(io_);
    socket.connect({net::ip::make_address("127.0.0.1"), program_->port("tcp")});
    net::write(socket, net::buffer(std::string("t:100|ms\nt:3")));
    expect_metric("t_count", "1");
    net::write(socket, net::buffer(std::string("00|ms\nlast:1|c")));
    expect_metric("t_count", "2");
    EXPECT_EQ(metric("bursar_statsd_connections{source=\"tcp\"}"), "1");
    EXPECT_EQ(metric("last"), "");
  }
  expect_metric("last", "1");
  EXPECT_EQ(metric("t_sum"), "400");
  expect_metric("bursar_statsd_connections{source=\"tcp\"}", "0");
}

TEST_F(BursarStatsd, PassesOverAnOverLongLineOfAStream) {
  start();
  net::ip::tcp::socket socket(io_);
  socket.connect({net::ip::make_address("127.0.0.1"), program_->port("tcp")});
  net::write(socket, net::buffer("x:" + std::string(100'000, '1') + "|c\nafter:1|c\n"));
  expect_metric("after", "1");
  EXPECT_EQ(metric("bursar_statsd_lines_dropped_total{source=\"tcp\",reason=\"over_long\"}"), "1");
  EXPECT_EQ(metric(line_counter("tcp")), "2");
}

TEST_F(BursarStatsd, ClosesOneConnectionTooMany) {
  start({"--tcp-max-connections", "1"});
  const net::ip::tcp::endpoint endpoint(net::ip::make_address("127.0.0.1"), program_->port("tcp"));
  net::ip::tcp::socket first(io_);
  first.connect(endpoint);
  expect_metric("bursar_statsd_connections{source=\"tcp\"}", "1");
  net::ip::tcp::socket second(io_);
  second.connect(endpoint);
  char byte = 0;
  boost::system::error_code error;
  second.read_some(net::buffer(&byte, 1), error);
  EXPECT_TRUE(error == net::error::eof || error == net::error::connection_reset) << error.message();
  EXPECT_EQ(metric("bursar_statsd_connections_rejected_total{source=\"tcp\"}"), "1");
  net::write(first, net::buffer(std::string("a:1|c\n")));
  expect_metric("a", "1");
}

TEST_F(BursarStatsd, ShowsWhatCameOverAUnixSocketAndRemovesIt) {
  std::string pattern = "/tmp/bursar-statsd-XXXXXX";
  const std::string folder = ::mkdtemp(pattern.data());
  const std::string path = folder + "/s.sock";
  start({"--unix", path});
  EXPECT_EQ(program_->address("unix"), path);
  net::local::datagram_protocol::socket socket(io_, net::local::datagram_protocol());
  socket.send_to(net::buffer(std::string("u:1|c")), net::local::datagram_protocol::endpoint(path));
  expect_metric("u", "1");
  program_->signal(SIGTERM);
  EXPECT_EQ(program_->wait(), 0);
  EXPECT_FALSE(std::filesystem::exists(path));
  std::filesystem::remove_all(folder);
}

TEST_F(BursarStatsd, UsesTheRestOfAPacketWithBadLines) {
  start();
  using namespace std::string_literals;
  send_udp("bad\nok:1|c\nnul\0:1|c\nutf\xff:1|c\nok:1|c"s);
  expect_metric(line_counter("udp"), "5");
  EXPECT_EQ(metric("ok"), "2");
  for (const char* reason : {"no_value", "nul_byte", "invalid_utf8"}) {
    EXPECT_EQ(metric("bursar_statsd_lines_dropped_total{source=\"udp\",reason=\"" + std::string(reason) + "\"}"), "1")
        << reason;
  }
  EXPECT_NE(program_->errors().find("dropped a line from udp"), std::string::npos);
}

TEST_F(BursarStatsd, AtTheLimitDropsNewContextsAndCountsThem) {
  start({"--max-contexts", "2"});
  send_udp("a:1|c\nb:1|c\nc:1|c\nd:1|c\na:1|c");
  expect_metric(line_counter("udp"), "5");
  EXPECT_EQ(metric("bursar_statsd_lines_dropped_total{source=\"udp\",reason=\"context_limit\"}"), "2");
  EXPECT_EQ(metric("a"), "2");
  EXPECT_EQ(metric("c"), "");
}

TEST_F(BursarStatsd, ForgetsIdleContexts) {
  start({"--context-ttl", "1"});
  send_udp("a:1|c");
  expect_metric("bursar_statsd_contexts_created_total", "1");
  expect_metric("bursar_statsd_contexts_expired_total", "1");
  EXPECT_EQ(metric("a"), "");
}

TEST_F(BursarStatsd, CountsADatagramThatWasCutOff) {
  start({"--max-packet", "64"});
  send_udp("a:1|c\nb:1|c|#x:" + std::string(100, 'x'));
  expect_metric("bursar_statsd_truncated_datagrams_total{source=\"udp\"}", "1");
  EXPECT_EQ(metric("a"), "1");
  EXPECT_EQ(metric("bursar_statsd_lines_dropped_total{source=\"udp\",reason=\"truncated\"}"), "1");
}

TEST_F(BursarStatsd, TellsHowManyDatagramsTheKernelDropped) {
  start({"--udp-receive-buffer", "4KiB"});
  const std::uint16_t port = program_->port("udp");
  program_->suspend();
  net::ip::udp::socket socket(io_, net::ip::udp::v4());
  constexpr int kDatagrams = 2000;
  for (int i = 0; i < kDatagrams; ++i) {
    socket.send_to(net::buffer(std::string("a:1|c")), {net::ip::make_address("127.0.0.1"), port});
  }
  program_->signal(SIGCONT);
  program_->signal(SIGTERM);
  EXPECT_EQ(program_->wait(), 0);
  EXPECT_NE(program_->output().find("datagrams that the kernel dropped"), std::string::npos) << program_->output();
}

TEST_F(BursarStatsd, TheSummaryAccountsForEveryLineAndDatagram) {
  std::string pattern = "/tmp/bursar-statsd-XXXXXX";
  const std::string folder = ::mkdtemp(pattern.data());
  start({"--udp-receive-buffer", "4KiB", "--summary-file", folder + "/summary"});
  const std::uint16_t port = program_->port("udp");
  // What is queued when the signal comes is read, and what found no room is known.
  program_->suspend();
  net::ip::udp::socket socket(io_, net::ip::udp::v4());
  constexpr std::uint64_t kDatagrams = 1000;
  for (std::uint64_t i = 0; i < kDatagrams; ++i) {
    socket.send_to(net::buffer(std::string("a:1|c\nbad\n")), {net::ip::make_address("127.0.0.1"), port});
  }
  program_->signal(SIGTERM);
  program_->signal(SIGCONT);
  EXPECT_EQ(program_->wait(), 0);
  const json summary = json::parse(std::ifstream(folder + "/summary"));
  std::filesystem::remove_all(folder);
  const json& udp = summary["udp"];
  const auto packets = udp["packets"].get<std::uint64_t>();
  EXPECT_GT(packets, 0U);
  EXPECT_LT(packets, kDatagrams);
  EXPECT_EQ(packets + udp["kernel_dropped_datagrams"].get<std::uint64_t>(), kDatagrams);
  EXPECT_EQ(udp["metrics"], packets);
  EXPECT_EQ(udp["dropped"]["no_value"], packets);
  EXPECT_EQ(udp["lines"], 2 * packets);
  EXPECT_NE(program_->output().find("every line is accounted for"), std::string::npos) << program_->output();
}

TEST_F(BursarStatsd, ReadsWhatAStreamHasQueuedBeforeItEnds) {
  std::string pattern = "/tmp/bursar-statsd-XXXXXX";
  const std::string folder = ::mkdtemp(pattern.data());
  start({"--summary-file", folder + "/summary"});
  const net::ip::tcp::endpoint endpoint(net::ip::make_address("127.0.0.1"), program_->port("tcp"));
  program_->suspend();
  net::ip::tcp::socket open(io_);
  open.connect(endpoint);
  net::write(open, net::buffer(std::string("a:1|c\na:1|c\na:1")));
  {
    net::ip::tcp::socket ended(io_);
    ended.connect(endpoint);
    net::write(ended, net::buffer(std::string("a:1|c\na:1|c")));
  }
  program_->signal(SIGTERM);
  program_->signal(SIGCONT);
  EXPECT_EQ(program_->wait(), 0);
  const json summary = json::parse(std::ifstream(folder + "/summary"));
  std::filesystem::remove_all(folder);
  EXPECT_EQ(summary["tcp"]["metrics"], 4);
  EXPECT_EQ(summary["tcp"]["dropped"], json({{"truncated", 1}}));
}

TEST_F(BursarStatsd, EndsByItselfAfterItsDuration) {
  start({"--duration", "0.01"});
  EXPECT_EQ(program_->wait(), 0);
}

TEST_F(BursarStatsd, EndsOnSigint) {
  start();
  (void)program_->port("udp");
  program_->signal(SIGINT);
  EXPECT_EQ(program_->wait(), 0);
}

TEST_F(BursarStatsd, DrawsTheTable) {
  start({"--table", "--memory-limit", "64MiB"});
  wait_until([&] { return program_->output().find("topology") != std::string::npos; });
  wait_until([&] { return program_->output().find("transforms.aggregate") != std::string::npos; });
  // Not on a terminal: nothing moves the cursor.
  EXPECT_EQ(program_->output().find('\x1b'), std::string::npos);
}

TEST_F(BursarStatsd, APortInUseIsOneLineAndCodeTwo) {
  start();
  for (const std::string source : {"udp", "tcp"}) {
    Program second(BURSAR_STATSD_PROGRAM,
                   {"--udp", source == "udp" ? program_->address("udp") : "off", "--tcp",
                    source == "tcp" ? program_->address("tcp") : "off", "--http", "off", "--memory-mode", "disabled"});
    EXPECT_EQ(second.wait(), 2);
    EXPECT_NE(second.errors().find("cannot listen on " + source + " " + program_->address(source) + ": "),
              std::string::npos)
        << second.errors();
  }
  const std::string url = program_->address("http");
  const std::string http = url.substr(7, url.size() - 8);
  Program third(BURSAR_STATSD_PROGRAM, {"--udp", "127.0.0.1:0", "--http", http});
  EXPECT_EQ(third.wait(), 2);
  EXPECT_NE(third.errors().find(http), std::string::npos) << third.errors();
}

TEST_F(BursarStatsd, AnUnwritableSocketPathIsOneLineAndCodeTwo) {
  start({"--unix", "/nonexistent/s.sock"});
  EXPECT_EQ(program_->wait(), 2);
  EXPECT_NE(program_->errors().find("cannot listen on unix \"/nonexistent/s.sock\""), std::string::npos);
}

TEST_F(BursarStatsd, ABadFlagOrVariableIsOneLineAndCodeTwo) {
  start({"--max-contexts", "none"});
  EXPECT_EQ(program_->wait(), 2);
  EXPECT_NE(program_->errors().find("none"), std::string::npos);
  start({}, {{"BURSAR_MEMORY_LIMIT", "plenty"}});
  EXPECT_EQ(program_->wait(), 2);
  EXPECT_TRUE(program_->errors().starts_with("bursar-statsd: BURSAR_MEMORY_LIMIT: \"plenty\"")) << program_->errors();
}

TEST_F(BursarStatsd, AStrictStartWithTooSmallALimitFailsWithTheNumbers) {
  start({"--memory-limit", "8MiB", "--memory-slop-factor", "0.5", "--memory-mode", "strict"});
  EXPECT_EQ(program_->wait(), 2);
  EXPECT_NE(program_->errors().find("4 MiB"), std::string::npos) << program_->errors();
  EXPECT_NE(program_->errors().find("topology.transforms.aggregate"), std::string::npos);
  EXPECT_EQ(program_->output(), "");
}

TEST_F(BursarStatsd, ThatLimitStartsInPermissiveMode) {
  start({"--memory-slop-factor", "0.5"}, {{"BURSAR_MEMORY_LIMIT", "8MiB"}, {"BURSAR_MEMORY_MODE", "permissive"}});
  send_udp("a:1|c");
  expect_metric("bursar_statsd_lines_total{source=\"udp\"}", "1");
  EXPECT_NE(program_->errors().find("warning"), std::string::npos) << program_->errors();
  EXPECT_EQ(metric("bursar_memory_limit_bytes"), "8388608");
}

TEST_F(BursarStatsd, AStrictStartWithEnoughLogsTheTreeAndItsShares) {
  start({"--memory-limit", "64MiB", "--memory-mode", "strict"});
  (void)program_->port("udp");
  for (const char* part :
       {"topology", "udp", "transforms.aggregate", "destinations.prometheus", "api", "48 MiB", "%"}) {
    EXPECT_NE(program_->errors().find(part), std::string::npos) << part;
  }
}

TEST_F(BursarStatsd, ShedsNewContextsRatherThanExceedTheLimit) {
  // Less than the program has at the start: Hard from the first reading.
  start({"--memory-limit", "1MiB"});
  wait_until([&] { return metric("bursar_limiter_state") == "2"; });
  send_udp("a:1|c");
  expect_metric("bursar_statsd_lines_dropped_total{source=\"udp\",reason=\"memory_pressure\"}", "1");
  EXPECT_NE(metric("bursar_limiter_waits_total"), "0");
}

TEST_F(BursarStatsd, WithTheLimiterOffNothingIsShed) {
  start({"--memory-limit", "1MiB", "--limiter", "off"});
  send_udp("a:1|c");
  expect_metric("a", "1");
}

TEST_F(BursarStatsd, DisabledSkipsTheVerification) {
  start({"--memory-limit", "1MiB", "--memory-mode", "disabled"});
  send_udp("a:1|c");
  expect_metric("a", "1");
  EXPECT_EQ(program_->errors().find("warning firm limit"), std::string::npos);
}

TEST_F(BursarStatsd, TheStatusHasEveryComponent) {
  start();
  const json status = json::parse(get("/memory/status"));
  for (const char* component : {"api", "topology.sources.udp", "topology.sources.tcp", "topology.transforms.aggregate",
                                "topology.destinations.prometheus"}) {
    ASSERT_TRUE(status.contains(component)) << component;
    EXPECT_GT(status[component]["minimum_required_bytes"], 0) << component;
    EXPECT_GE(status[component]["firm_limit_bytes"], 0) << component;
  }
  EXPECT_FALSE(status.contains("topology.sources.unix") && status["topology.sources.unix"]["firm_limit_bytes"] > 0);
}

TEST_F(BursarStatsd, OpenMetricsEndsAsItShould) {
  start();
  send_udp("a.total:1|c\na:1|g");
  expect_metric(line_counter("udp"), "2");
  bursar::test::RawClient client(program_->port("http"));
  client.send("GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: application/openmetrics-text; version=1.0.0\r\n\r\n");
  const std::string body = client.read_response().body();
  EXPECT_TRUE(body.ends_with("# EOF\n"));
  EXPECT_NE(body.find("\na_total 1\n"), std::string::npos);
  EXPECT_NE(body.find("# TYPE bursar_statsd_lines counter\n"), std::string::npos);
}

}  // namespace
}  // namespace bursar::statsd::test
