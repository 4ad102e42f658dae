#pragma once

#include <chrono>
#include <cstddef>
#include <expected>
#include <optional>
#include <string>

#include <bursar/registry/memory_settings.h>

#include "config/endpoint.h"

namespace bursar::statsd {

struct Options {
  std::optional<Endpoint> udp = Endpoint{"127.0.0.1", 8125};
  std::optional<Endpoint> tcp;
  std::optional<std::string> unix_path;
  std::optional<Endpoint> http = Endpoint{"127.0.0.1", 9102};

  MemoryFlags memory;

  std::size_t max_contexts = 10'000;
  std::chrono::seconds context_ttl{0};    // 0: contexts stay
  std::chrono::milliseconds duration{0};  // 0: until a signal
  bool table = false;
  std::optional<std::string> listening_file;  // where the start line goes as well
  std::optional<std::string> summary_file;    // where the summary goes as JSON

  std::size_t max_line_bytes = 8192;
  // What a datagram may have; a longer one is cut off.
  std::size_t max_packet_bytes = 65'536;
  // What the kernel is asked to keep of datagrams that were not read yet. It is the kernel's memory.
  std::size_t udp_receive_buffer_bytes = std::size_t{4} << 20;
  std::size_t tcp_max_connections = 64;
  // What all answers to /metrics together may hold of users' metrics; what does not fit is left out and counted.
  std::size_t max_exposition_bytes = std::size_t{12} << 20;
};

// Why there is nothing to run: what to print, and with which code to end. Help and version are for standard output.
struct EarlyExit {
  int code = 2;
  std::string text;
};

// Reads the command line.
[[nodiscard]] std::expected<Options, EarlyExit> parse_options(int argc, const char* const* argv);

}  // namespace bursar::statsd
