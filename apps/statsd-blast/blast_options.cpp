#include "blast_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string_view>

#include <bursar/base/in_quotes.h>

#ifndef BURSAR_VERSION
#error "BURSAR_VERSION comes from the build"
#endif

namespace bursar::blast {
namespace {

constexpr std::chrono::seconds kDefaultDuration{10};
constexpr std::size_t kMaxPacketBytes = 65'507;

std::expected<std::vector<LineType>, std::string> parse_types(std::string_view text) {
  std::vector<LineType> types;
  std::string_view rest = text;
  while (true) {
    const std::size_t comma = rest.find(',');
    const std::string_view code = rest.substr(0, comma);
    const std::optional<LineType> type = type_of_code(code);
    if (!type) {
      return std::unexpected("--types " + in_quotes(text) + ": " + in_quotes(code) +
                             " is no type; expected some of c,g,s,ms,h,d, separated by commas");
    }
    if (std::ranges::find(types, *type) == types.end()) types.push_back(*type);
    if (comma == std::string_view::npos) return types;
    rest.remove_prefix(comma + 1);
  }
}

// Unlike CLI::Range it refuses what is no number at all.
const CLI::Validator kSeconds(
    [](const std::string& text) {
      double seconds = 0;
      const bool is_number = CLI::detail::lexical_cast(text, seconds);
      return is_number && seconds >= 0 && seconds <= 1e9 ? std::string() : text + " is not from 0 to 1e9 seconds";
    },
    "");

}  // namespace

std::expected<BlastOptions, EarlyExit> parse_blast_options(int argc, const char* const* argv) {
  BlastOptions options;
  std::string target;
  std::string types = "c,g,s,ms,h,d";
  double duration_seconds = 0;

  CLI::App app("Sends StatsD traffic that is the same for the same seed, and reports what it sent.", "statsd-blast");
  app.set_version_flag("--version", "statsd-blast " BURSAR_VERSION);
  app.add_option("--target", target, "udp://HOST:PORT, tcp://HOST:PORT or unix:PATH")->required();
  app.add_option("--rate", options.lines_per_second, "lines a second; 0: as fast as possible")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--contexts", options.contexts, "how many series there are; 0: each line is a new one")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--types", types, "which of c,g,s,ms,h,d")->capture_default_str();
  app.add_option("--duration", duration_seconds, "seconds until the end; 0: no end by time")->check(kSeconds);
  app.add_option("--lines", options.lines, "lines until the end; 0: no end by number")->check(CLI::NonNegativeNumber);
  app.add_option("--seed", options.seed, "where the random numbers start")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--packet-bytes", options.packet_bytes, "how much a datagram, or one write to TCP, holds at most")
      ->check(CLI::Range(std::size_t{1}, kMaxPacketBytes))
      ->capture_default_str();
  app.add_flag("--json", options.json, "print the report as JSON");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return std::unexpected(EarlyExit{0, app.help()});
  } catch (const CLI::CallForVersion& version) {
    return std::unexpected(EarlyExit{0, std::string(version.what()) + "\n"});
  } catch (const CLI::ParseError& error) {
    return std::unexpected(EarlyExit{2, "statsd-blast: " + std::string(error.what()) + " (see --help)\n"});
  }

  auto address = parse_target(target);
  if (!address) return std::unexpected(EarlyExit{2, "statsd-blast: " + address.error() + "\n"});
  options.target = std::move(*address);
  auto wanted = parse_types(types);
  if (!wanted) return std::unexpected(EarlyExit{2, "statsd-blast: " + wanted.error() + "\n"});
  options.types = std::move(*wanted);
  options.duration = std::chrono::milliseconds(static_cast<std::int64_t>(duration_seconds * 1000));
  if (options.duration.count() == 0 && options.lines == 0) options.duration = kDefaultDuration;
  return options;
}

}  // namespace bursar::blast
