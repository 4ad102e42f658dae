#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "blast_options.h"
#include "line_type.h"
#include "packet.h"

namespace bursar::blast {

// What was sent. A line counts as sent when the kernel took it, whole.
struct BlastReport {
  std::uint64_t lines = 0;
  std::uint64_t bytes = 0;
  std::uint64_t packets = 0;
  std::array<std::uint64_t, kTypeCodes.size()> lines_by_type{};
  std::uint64_t min_packet_lines = 0;
  std::uint64_t max_packet_lines = 0;
  std::uint64_t failed_packets = 0;  // that the kernel did not take
  std::uint64_t failed_lines = 0;
  std::uint64_t refused_packets = 0;  // of the failed ones, those that came back because nobody listens
  double seconds = 0;
  std::string fatal_error;  // why the run ended early; empty if it did not

  void add_sent(const Packet& packet) noexcept;
  // `sent_bytes` of the packet went out before it failed with `error`: its whole lines count as sent.
  void add_failed(const Packet& packet, std::size_t sent_bytes, int error) noexcept;

  [[nodiscard]] std::string to_text(const BlastOptions& options) const;
  [[nodiscard]] std::string to_json(const BlastOptions& options) const;
};

}  // namespace bursar::blast
