#include "config/options.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace bursar::statsd {
namespace {

std::expected<Options, EarlyExit> parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "bursar-statsd");
  return parse_options(static_cast<int>(arguments.size()), arguments.data());
}

TEST(Options, WithoutFlagsAreTheDefaults) {
  const auto options = parse({});
  ASSERT_TRUE(options.has_value());
  EXPECT_EQ(options->udp, (Endpoint{"127.0.0.1", 8125}));
  EXPECT_EQ(options->http, (Endpoint{"127.0.0.1", 9102}));
  EXPECT_FALSE(options->tcp.has_value());
  EXPECT_FALSE(options->unix_path.has_value());
  EXPECT_EQ(options->max_contexts, 10'000U);
  EXPECT_EQ(options->context_ttl.count(), 0);
  EXPECT_EQ(options->duration.count(), 0);
  EXPECT_FALSE(options->table);
  EXPECT_FALSE(options->memory.limit.has_value());
}

TEST(Options, AreReadFromTheFlags) {
  const auto options = parse({"--udp",
                              "off",
                              "--tcp",
                              "[::1]:0",
                              "--unix",
                              "/run/s.sock",
                              "--http",
                              "localhost:1",
                              "--memory-limit",
                              "64MiB",
                              "--memory-slop-factor",
                              "0.5",
                              "--memory-mode",
                              "strict",
                              "--limiter",
                              "observe",
                              "--max-contexts",
                              "7",
                              "--context-ttl",
                              "60",
                              "--duration",
                              "1.5",
                              "--table",
                              "--max-exposition",
                              "1MiB"});
  ASSERT_TRUE(options.has_value()) << options.error().text;
  EXPECT_FALSE(options->udp.has_value());
  EXPECT_EQ(options->tcp, (Endpoint{"::1", 0}));
  EXPECT_EQ(options->unix_path, "/run/s.sock");
  EXPECT_EQ(options->http, (Endpoint{"127.0.0.1", 1}));
  EXPECT_EQ(options->memory.limit, "64MiB");
  EXPECT_EQ(options->memory.slop_factor, "0.5");
  EXPECT_EQ(options->memory.mode, "strict");
  EXPECT_EQ(options->memory.limiter, "observe");
  EXPECT_EQ(options->max_contexts, 7U);
  EXPECT_EQ(options->context_ttl, std::chrono::seconds(60));
  EXPECT_EQ(options->duration, std::chrono::milliseconds(1500));
  EXPECT_TRUE(options->table);
  EXPECT_EQ(options->max_exposition_bytes, std::size_t{1} << 20);
}

TEST(Options, BadOnesAreOneLineWithTheValueAndCodeTwo) {
  const std::vector<std::pair<std::vector<const char*>, std::string>> cases = {
      {{"--nonsense"}, "--nonsense"},
      {{"--udp", "1.2.3.4"}, "1.2.3.4"},
      {{"--udp", "host.example:1"}, "host.example"},
      {{"--udp", "127.0.0.1:65536"}, "65536"},
      {{"--udp", "::1:80"}, "brackets"},
      {{"--tcp", "127.0.0.1:x"}, "127.0.0.1:x"},
      {{"--http", ":80"}, ":80"},
      {{"--max-contexts", "0"}, "max-contexts"},
      {{"--max-contexts", "-1"}, "max-contexts"},
      {{"--max-contexts", "many"}, "many"},
      {{"--duration", "-1"}, "duration"},
      {{"--duration", "soon"}, "soon"},
      {{"--context-ttl", "nan"}, "context-ttl"},
      {{"--duration", "inf"}, "duration"},
      {{"--tcp-max-connections", "-1"}, "tcp-max-connections"},
      {{"--udp-receive-buffer", "x"}, "x"},
      {{"--udp-receive-buffer", "1"}, "4 KiB"},
      {{"--udp"}, "--udp"},
      {{"--udp", "off"}, "sources"},
  };
  for (const auto& [arguments, part] : cases) {
    const auto options = parse(arguments);
    ASSERT_FALSE(options.has_value()) << part;
    EXPECT_EQ(options.error().code, 2) << part;
    EXPECT_NE(options.error().text.find(part), std::string::npos) << options.error().text;
    EXPECT_EQ(options.error().text.find('\n'), options.error().text.size() - 1) << options.error().text;
  }
}

TEST(Options, HelpAndVersionAreNoErrors) {
  for (const char* flag : {"--help", "--version"}) {
    const auto options = parse({flag});
    ASSERT_FALSE(options.has_value());
    EXPECT_EQ(options.error().code, 0);
  }
  const auto help = parse({"--help"});
  for (const char* flag : {"--udp", "--tcp", "--unix", "--http", "--memory-limit", "--memory-slop-factor",
                           "--memory-mode", "--limiter", "--max-contexts", "--context-ttl", "--duration", "--table"}) {
    EXPECT_NE(help.error().text.find(flag), std::string::npos) << flag;
  }
}

TEST(Endpoint, ComesBackAsItWasWritten) {
  for (const char* text : {"127.0.0.1:8125", "[::1]:0", "0.0.0.0:65535"}) {
    const auto endpoint = parse_endpoint(text);
    ASSERT_TRUE(endpoint.has_value()) << endpoint.error();
    EXPECT_EQ(to_string(*endpoint), text);
  }
}

}  // namespace
}  // namespace bursar::statsd
