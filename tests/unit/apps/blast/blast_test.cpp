#include "blast.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "blast_options.h"
#include "line_generator.h"
#include "pacer.h"
#include "packet.h"

namespace bursar::blast {
namespace {

const std::vector<LineType> kAllTypes = {LineType::kCounter, LineType::kGauge,     LineType::kSet,
                                         LineType::kTimer,   LineType::kHistogram, LineType::kDistribution};

std::vector<std::string> lines_of(std::uint64_t contexts, std::uint64_t seed, int count) {
  LineGenerator generator(contexts, kAllTypes, seed);
  std::vector<std::string> lines;
  for (int i = 0; i < count; ++i) lines.emplace_back(generator.next());
  return lines;
}

std::string context_of(const std::string& line) {
  const std::size_t start = line.find("#context:");
  return line.substr(start, line.find(',', start) - start);
}

TEST(LineGenerator, TheSameSeedMakesTheSameLines) {
  EXPECT_EQ(lines_of(100, 7, 1000), lines_of(100, 7, 1000));
  EXPECT_NE(lines_of(100, 7, 1000), lines_of(100, 8, 1000));
}

TEST(LineGenerator, TheFirstLinesOfASeedNeverChange) {
  EXPECT_EQ(lines_of(0, 1, 2), (std::vector<std::string>{"blast.requests:4|c|#context:0,method:get",
                                                         "blast.queue.depth:462|g|#context:1,method:put"}));
}

TEST(LineGenerator, MakesAsManyContextsAsAskedFor) {
  std::set<std::string> contexts;
  for (const std::string& line : lines_of(50, 1, 5000)) contexts.insert(context_of(line));
  EXPECT_EQ(contexts.size(), 50U);
}

TEST(LineGenerator, WithoutLimitEachLineIsAContextOfItsOwn) {
  std::set<std::string> contexts;
  for (const std::string& line : lines_of(0, 1, 5000)) contexts.insert(context_of(line));
  EXPECT_EQ(contexts.size(), 5000U);
}

TEST(LineGenerator, AContextKeepsItsType) {
  std::set<std::string> seen;
  for (const std::string& line : lines_of(60, 3, 5000)) {
    const std::size_t type = line.find('|');
    seen.insert(context_of(line) + line.substr(type, line.find('|', type + 1) - type));
  }
  EXPECT_EQ(seen.size(), 60U);
}

TEST(Pacer, LinesBecomeDueAtTheRate) {
  const Pacer pacer(1000, {});
  using std::chrono::milliseconds;
  const Pacer::TimePoint start{};
  EXPECT_EQ(pacer.due(0, start), 0U);
  EXPECT_EQ(pacer.due(0, start + milliseconds(10)), 10U);
  EXPECT_EQ(pacer.due(4, start + milliseconds(10)), 6U);
  EXPECT_EQ(pacer.due(11, start + milliseconds(10)), 0U);
  EXPECT_EQ(pacer.next(10), start + milliseconds(11));
  EXPECT_EQ(Pacer(0, start).due(123, start), Pacer::kUnlimited);
}

TEST(Packet, HoldsLinesUpToItsSize) {
  Packet packet(8);
  EXPECT_TRUE(packet.fits("0123456789"));  // as the only one
  packet.add("abc", LineType::kCounter);
  EXPECT_TRUE(packet.fits("def"));
  EXPECT_FALSE(packet.fits("defg"));
  packet.add("def", LineType::kGauge);
  EXPECT_EQ(packet.text(), "abc\ndef\n");
  EXPECT_EQ(packet.lines(), 2U);
  packet.clear();
  EXPECT_EQ(packet.lines(), 0U);
}

TEST(BlastReport, OfAPacketThatFailedTheWholeLinesCount) {
  Packet packet(100);
  packet.add("a:1|c|#x", LineType::kCounter);
  packet.add("b:1|g", LineType::kGauge);
  BlastReport report;
  report.add_failed(packet, 12, EPIPE);
  EXPECT_EQ(report.lines, 1U);
  EXPECT_EQ(report.failed_lines, 1U);
  EXPECT_EQ(report.lines_by_type[0], 1U);
  EXPECT_EQ(report.lines_by_type[1], 0U);
  EXPECT_EQ(report.bytes, 12U);
}

std::expected<BlastOptions, EarlyExit> parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "statsd-blast");
  return parse_blast_options(static_cast<int>(arguments.size()), arguments.data());
}

TEST(BlastOptions, AreReadFromTheFlags) {
  const auto options = parse({"--target", "tcp://[::1]:8125", "--rate", "0", "--contexts", "0", "--types", "c,ms",
                              "--lines", "5", "--seed", "9", "--packet-bytes", "100", "--json"});
  ASSERT_TRUE(options.has_value()) << options.error().text;
  EXPECT_EQ(options->target.kind, TargetAddress::Kind::kTcp);
  EXPECT_EQ(options->target.host, "::1");
  EXPECT_EQ(options->target.port, 8125);
  EXPECT_EQ(options->types, (std::vector{LineType::kCounter, LineType::kTimer}));
  EXPECT_EQ(options->lines, 5U);
  EXPECT_EQ(options->duration.count(), 0);
  EXPECT_TRUE(options->json);
  EXPECT_EQ(parse({"--target", "unix:/run/x"})->target.host, "/run/x");
  EXPECT_EQ(parse({"--target", "udp://h:1"})->duration, std::chrono::seconds(10));
}

TEST(BlastOptions, BadOnesAreOneLineAndCodeTwo) {
  const std::vector<std::vector<const char*>> cases = {
      {},
      {"--target", "http://x:1"},
      {"--target", "udp://x"},
      {"--target", "udp://:1"},
      {"--target", "udp://x:0"},
      {"--target", "udp://x:65536"},
      {"--target", "unix:"},
      {"--target", "udp://x:1", "--types", "c,x"},
      {"--target", "udp://x:1", "--types", ""},
      {"--target", "udp://x:1", "--packet-bytes", "0"},
      {"--target", "udp://x:1", "--rate", "-1"},
      {"--target", "udp://x:1", "--lines", "-1"},
      {"--target", "udp://x:1", "--contexts", "1.5"},
      {"--target", "udp://x:1", "--duration", "nan"},
      {"--target", "udp://x:1", "--duration", "inf"},
      {"--target", "udp://x:1", "--nonsense"},
  };
  for (const auto& arguments : cases) {
    const auto options = parse(arguments);
    ASSERT_FALSE(options.has_value()) << testing::PrintToString(arguments);
    EXPECT_EQ(options.error().code, 2) << options.error().text;
    EXPECT_EQ(options.error().text.find('\n'), options.error().text.size() - 1) << options.error().text;
  }
}

TEST(Blast, SendsWhatItReports) {
  std::string folder = "/tmp/bursar-blast-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const std::string path = folder + "/s.sock";
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  std::ranges::copy(path, name.sun_path);
  const int receiver = ::socket(AF_UNIX, SOCK_DGRAM, 0);
  ASSERT_EQ(::bind(receiver, reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);

  const std::string target = "unix:" + path;
  const auto options = parse({"--target", target.c_str(), "--rate", "0", "--lines", "1000", "--packet-bytes", "300"});
  ASSERT_TRUE(options.has_value());
  std::uint64_t lines = 0;
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  std::thread reader([&] {
    char buffer[1000];
    while (lines < 1000) {
      const ssize_t received = ::recv(receiver, buffer, sizeof buffer, 0);
      if (received < 0) return;
      ++packets;
      bytes += static_cast<std::uint64_t>(received);
      lines += static_cast<std::uint64_t>(std::count(buffer, buffer + received, '\n'));
      EXPECT_LE(received, 300);
    }
  });
  auto connected = Target::connect(options->target);
  ASSERT_TRUE(connected.has_value()) << connected.error();
  const volatile std::sig_atomic_t interrupted = 0;
  const BlastReport report = run_blast(*options, *connected, interrupted);
  reader.join();
  ::close(receiver);
  std::filesystem::remove_all(folder);

  EXPECT_EQ(report.lines, 1000U);
  EXPECT_EQ(report.lines, lines);
  EXPECT_EQ(report.packets, packets);
  EXPECT_EQ(report.bytes, bytes);
  EXPECT_EQ(report.failed_packets, 0U);
  const auto json = nlohmann::json::parse(report.to_json(*options));
  EXPECT_EQ(json["lines"], 1000);
  std::uint64_t by_type = 0;
  for (const auto& count : json["lines_by_type"]) by_type += count.get<std::uint64_t>();
  EXPECT_EQ(by_type, 1000U);
}

TEST(Blast, StopsWhenItIsInterrupted) {
  const auto options = parse({"--target", "udp://127.0.0.1:9", "--rate", "0", "--duration", "100000"});
  auto connected = Target::connect(options->target);
  ASSERT_TRUE(connected.has_value());
  const volatile std::sig_atomic_t interrupted = 1;
  EXPECT_EQ(run_blast(*options, *connected, interrupted).packets, 0U);
}

TEST(Target, SaysWhoRefused) {
  const auto refused = Target::connect(*parse_target("unix:/nonexistent/bursar.sock"));
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().find("unix:/nonexistent/bursar.sock"), std::string::npos) << refused.error();
}

}  // namespace
}  // namespace bursar::blast
