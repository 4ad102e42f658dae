#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include <bursar/bounds/memory_bounds_builder.h>

#include "sources/source.h"
#include "sources/unique_descriptor.h"

namespace bursar::statsd {

// Reads datagrams, from UDP or from a Unix socket, one after the other into one buffer.
class DatagramSource final : public Source {
 public:
  // How many datagrams are read before others get their turn on the thread: about a millisecond of work.
  static constexpr int kBurst = 64;

  DatagramSource(std::string_view name, UniqueDescriptor socket, std::size_t max_packet_bytes,
                 const SourceContext& context, const ParserLimits& limits, const IntakeDestination& destination);

  void start() override;
  void stop_and_drain(std::chrono::steady_clock::time_point deadline) override;
  void refresh_counters() override;
  [[nodiscard]] const LineIntake& intake() const noexcept override { return intake_; }

  // What a source will take, told before it is made.
  struct Bounds {
    std::size_t max_packet_bytes;
    void specify_bounds(MemoryBoundsBuilder& builder) const;
  };

 private:
  enum class Burst : std::uint8_t { kEmpty, kMore };

  boost::asio::awaitable<void> run();
  [[nodiscard]] Burst read_burst();
  // False where there was nothing to read.
  bool read_one();
  void note_kernel_drops(std::uint32_t total) noexcept;

  SourceContext context_;
  LineIntake intake_;
  std::vector<char> buffer_;
  boost::asio::posix::stream_descriptor socket_;
  boost::asio::cancellation_signal cancelled_;
  std::uint32_t last_drops_ = 0;
};

}  // namespace bursar::statsd
