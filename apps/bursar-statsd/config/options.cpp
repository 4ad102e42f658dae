#include "config/options.h"

#include <CLI/CLI.hpp>
#include <string_view>
#include <utility>

#include <bursar/base/bytes.h>

#ifndef BURSAR_VERSION
#error "BURSAR_VERSION comes from the build"
#endif

namespace bursar::statsd {
namespace {

constexpr std::string_view kDescription =
    "Receives StatsD and DogStatsD metrics, aggregates them and shows them to Prometheus. Accounts for its memory and "
    "CPU "
    "time by component, and slows down before its memory limit ends it.";

constexpr std::string_view kFooter =
    "\nEnvironment: BURSAR_MEMORY_LIMIT, BURSAR_MEMORY_SLOP_FACTOR, BURSAR_MEMORY_MODE and BURSAR_LIMITER stand for "
    "the\n"
    "flags of these names; a flag wins. SIGTERM and SIGINT read what is queued, print a summary and end; a second one\n"
    "ends at once.";

// The flags whose text is read after CLI11 has taken it.
struct FlagTexts {
  std::string udp;
  std::string tcp;
  std::string http;
  std::string unix_path;
  std::string udp_receive_buffer;
  std::string max_exposition;
  MemoryFlags memory;
  double context_ttl_seconds = 0;
  double duration_seconds = 0;
};

// Unlike CLI::Range it refuses what is no number at all.
const CLI::Validator kSeconds(
    [](const std::string& text) {
      double seconds = 0;
      const bool is_number = CLI::detail::lexical_cast(text, seconds);
      return is_number && seconds >= 0 && seconds <= 1e9 ? std::string() : text + " is not from 0 to 1e9 seconds";
    },
    "");

std::unexpected<EarlyExit> usage_error(std::string_view message) {
  return std::unexpected(EarlyExit{2, "bursar-statsd: " + std::string(message) + " (see --help)\n"});
}

void declare(CLI::App& app, Options& options, FlagTexts& texts) {
  app.set_version_flag("--version", "bursar-statsd " BURSAR_VERSION);
  app.add_option("--udp", texts.udp,
                 "HOST:PORT to receive datagrams at, or off; port 0 lets the system choose [127.0.0.1:8125]")
      ->type_name("");
  app.add_option("--tcp", texts.tcp, "HOST:PORT to receive lines at, or off [off]")->type_name("");
  app.add_option("--unix", texts.unix_path, "PATH of a datagram socket to receive at, or off [off]")->type_name("");
  app.add_option("--http", texts.http, "HOST:PORT of /metrics and the other pages, or off [127.0.0.1:9102]")
      ->type_name("");

  app.add_option("--memory-limit", texts.memory.limit,
                 "bytes that the process may use, such as 64MiB [the control group's limit]")
      ->type_name("");
  app.add_option("--memory-slop-factor", texts.memory.slop_factor,
                 "share of the limit kept for what the books do not see [0.25]")
      ->type_name("");
  app.add_option("--memory-mode", texts.memory.mode, "disabled, permissive or strict [permissive]")->type_name("");
  app.add_option("--limiter", texts.memory.limiter, "on, off or observe [on]")->type_name("");

  app.add_option("--max-contexts", options.max_contexts, "series kept at once; new ones beyond are dropped [10000]")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1'000'000'000}))
      ->type_name("");
  app.add_option("--context-ttl", texts.context_ttl_seconds,
                 "seconds after which an idle series is forgotten; 0: never [0]")
      ->check(kSeconds)
      ->type_name("");
  app.add_option("--duration", texts.duration_seconds, "seconds to run; 0: until SIGTERM [0]")
      ->check(kSeconds)
      ->type_name("");
  app.add_option("--listening-file", options.listening_file, "write the line that tells the ports to this file, too")
      ->type_name("PATH");
  app.add_option("--summary-file", options.summary_file, "write the summary to this file, as JSON")->type_name("PATH");
  app.add_flag("--table", options.table, "show once a second who uses what");

  app.add_option("--max-line", options.max_line_bytes, "bytes a line may have [8192]")
      ->check(CLI::Range(std::size_t{64}, std::size_t{1} << 20))
      ->type_name("");
  app.add_option("--max-packet", options.max_packet_bytes, "bytes of a datagram that are read [65536]")
      ->check(CLI::Range(std::size_t{64}, std::size_t{1} << 20))
      ->type_name("");
  app.add_option("--udp-receive-buffer", texts.udp_receive_buffer, "kernel memory for datagrams not read yet [4MiB]")
      ->type_name("");
  app.add_option("--tcp-max-connections", options.tcp_max_connections, "connections at once; one more is closed [64]")
      ->check(CLI::Range(std::size_t{1}, std::size_t{100'000}))
      ->type_name("");
  app.add_option("--max-exposition", texts.max_exposition,
                 "bytes of users' metrics in answers to /metrics under way [12MiB]")
      ->type_name("");
  app.footer(std::string(kFooter));
}

// Replaces the default by what was given; "off" turns it off.
std::expected<void, std::string> read_endpoint(const char* flag, const std::string& text,
                                               std::optional<Endpoint>& endpoint) {
  if (text.empty()) return {};
  if (text == "off") {
    endpoint.reset();
    return {};
  }
  auto parsed = parse_endpoint(text);
  if (!parsed) return std::unexpected(std::string(flag) + " " + parsed.error());
  endpoint = std::move(*parsed);
  return {};
}

std::expected<void, std::string> read_bytes(const char* flag, const std::string& text, std::size_t max_bytes,
                                            std::size_t& bytes) {
  if (text.empty()) return {};
  const auto parsed = parse_bytes(text);
  if (!parsed) return std::unexpected(std::string(flag) + ": " + parsed.error());
  if (*parsed < 4096 || *parsed > max_bytes) {
    return std::unexpected(std::string(flag) + ": " + text + " is not between 4 KiB and " + format_bytes(max_bytes));
  }
  bytes = *parsed;
  return {};
}

std::expected<void, std::string> read_texts(const FlagTexts& texts, Options& options) {
  auto read = read_endpoint("--udp", texts.udp, options.udp);
  if (read) read = read_endpoint("--tcp", texts.tcp, options.tcp);
  if (read) read = read_endpoint("--http", texts.http, options.http);
  if (read) {
    read = read_bytes("--udp-receive-buffer", texts.udp_receive_buffer, std::size_t{1} << 30,
                      options.udp_receive_buffer_bytes);
  }
  if (read)
    read = read_bytes("--max-exposition", texts.max_exposition, std::size_t{1} << 40, options.max_exposition_bytes);
  if (!read) return read;
  if (!texts.unix_path.empty() && texts.unix_path != "off") options.unix_path = texts.unix_path;
  options.memory = texts.memory;
  options.context_ttl =
      std::chrono::ceil<std::chrono::seconds>(std::chrono::duration<double>(texts.context_ttl_seconds));
  options.duration =
      std::chrono::ceil<std::chrono::milliseconds>(std::chrono::duration<double>(texts.duration_seconds));
  return {};
}

}  // namespace

std::expected<Options, EarlyExit> parse_options(int argc, const char* const* argv) {
  Options options;
  FlagTexts texts;
  CLI::App app(std::string(kDescription), "bursar-statsd");
  declare(app, options, texts);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return std::unexpected(EarlyExit{0, app.help()});
  } catch (const CLI::CallForVersion& version) {
    return std::unexpected(EarlyExit{0, std::string(version.what()) + "\n"});
  } catch (const CLI::ParseError& error) {
    return usage_error(error.what());
  }
  if (const auto read = read_texts(texts, options); !read) return usage_error(read.error());
  if (!options.udp && !options.tcp && !options.unix_path) return usage_error("all sources are off");
  return options;
}

}  // namespace bursar::statsd
