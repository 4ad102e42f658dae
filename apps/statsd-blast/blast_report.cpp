#include "blast_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>

#include <bursar/base/bytes.h>

namespace bursar::blast {

void BlastReport::add_sent(const Packet& packet) noexcept {
  min_packet_lines = packets == 0 ? packet.lines() : std::min(min_packet_lines, packet.lines());
  max_packet_lines = std::max(max_packet_lines, packet.lines());
  ++packets;
  lines += packet.lines();
  bytes += packet.text().size();
  for (std::size_t type = 0; type < lines_by_type.size(); ++type) lines_by_type[type] += packet.lines_by_type()[type];
}

void BlastReport::add_failed(const Packet& packet, std::size_t sent_bytes, int error) noexcept {
  ++failed_packets;
  if (error == ECONNREFUSED) ++refused_packets;
  bytes += sent_bytes;
  std::string_view sent = packet.text().substr(0, sent_bytes);
  std::uint64_t sent_lines = 0;
  for (std::size_t end = sent.find('\n'); end != std::string_view::npos; end = sent.find('\n')) {
    const std::string_view line = sent.substr(0, end);
    const std::size_t code_at = line.find('|') + 1;
    const auto type = type_of_code(line.substr(code_at, line.find('|', code_at) - code_at));
    if (type) ++lines_by_type[static_cast<std::size_t>(*type)];
    ++sent_lines;
    sent.remove_prefix(end + 1);
  }
  lines += sent_lines;
  failed_lines += packet.lines() - sent_lines;
}

std::string BlastReport::to_text(const BlastOptions& options) const {
  std::string text =
      fmt::format("sent {} lines, {} in {} packets to {} in {:.1f} s ({:.0f} lines/s)\n", lines, format_bytes(bytes),
                  packets, options.target.text, seconds, seconds > 0 ? static_cast<double>(lines) / seconds : 0.0);
  text += "lines by type:";
  for (const LineType type : options.types) {
    text += fmt::format(" {}={}", to_code(type), lines_by_type[static_cast<std::size_t>(type)]);
  }
  text += fmt::format("\nsend errors: {} packets with {} lines, {} of them refused\n", failed_packets, failed_lines,
                      refused_packets);
  if (!fatal_error.empty()) text += "ended early: " + fatal_error + "\n";
  return text;
}

std::string BlastReport::to_json(const BlastOptions& options) const {
  nlohmann::ordered_json types = nlohmann::ordered_json::object();
  for (const LineType type : options.types) types[to_code(type)] = lines_by_type[static_cast<std::size_t>(type)];
  nlohmann::ordered_json json;
  json["target"] = options.target.text;
  json["seed"] = options.seed;
  json["seconds"] = seconds;
  json["lines"] = lines;
  json["bytes"] = bytes;
  json["packets"] = packets;
  json["lines_by_type"] = std::move(types);
  json["min_packet_lines"] = min_packet_lines;
  json["max_packet_lines"] = max_packet_lines;
  json["failed_packets"] = failed_packets;
  json["failed_lines"] = failed_lines;
  json["refused_packets"] = refused_packets;
  json["error"] = fatal_error;
  return json.dump(2) + "\n";
}

}  // namespace bursar::blast
