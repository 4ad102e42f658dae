#include "sources/datagram_source.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <bursar/asio/async_wait_for_capacity.h>
#include <bursar/asio/co_spawn_in_group.h>
#include <bursar/bounds/container_usage.h>

#include "sources/datagram_socket.h"

namespace bursar::statsd {

namespace net = boost::asio;

DatagramSource::DatagramSource(std::string_view name, UniqueDescriptor socket, std::size_t max_packet_bytes,
                               const SourceContext& context, const ParserLimits& limits,
                               const IntakeDestination& destination)
    : context_(context),
      intake_(name, limits, destination),
      buffer_(max_packet_bytes),
      socket_(context.executor, socket.release()) {}

void DatagramSource::start() {
  bursar::asio::co_spawn_in_group(
      context_.executor, context_.group, [this] { return run(); },
      net::bind_cancellation_slot(cancelled_.slot(), net::detached));
}

// Ends by the exception that a cancelled operation throws.
net::awaitable<void> DatagramSource::run() {
  while (true) {
    co_await bursar::asio::async_wait_for_capacity(context_.limiter);
    if (read_burst() == Burst::kMore) {
      co_await net::post(net::use_awaitable);
    } else {
      co_await socket_.async_wait(net::posix::stream_descriptor::wait_read, net::use_awaitable);
    }
  }
}

DatagramSource::Burst DatagramSource::read_burst() {
  for (int i = 0; i < kBurst; ++i) {
    if (!read_one()) return Burst::kEmpty;
    if (context_.limiter.active_backoff().count() != 0) break;
  }
  return Burst::kMore;
}

bool DatagramSource::read_one() {
  const ReceivedDatagram datagram = receive_datagram(socket_.native_handle(), buffer_);
  if (datagram.outcome == ReceivedDatagram::Outcome::kNothing) return false;
  if (datagram.outcome == ReceivedDatagram::Outcome::kError) {
    // An error that was waiting at the socket; taking it has cleared it.
    ++intake_.counters().read_errors;
    return true;
  }
  if (datagram.drops) note_kernel_drops(*datagram.drops);
  intake_.accept_datagram({buffer_.data(), datagram.bytes}, datagram.is_truncated, std::chrono::steady_clock::now());
  return true;
}

// The kernel's figure goes back to 0 after 2^32; differences do not mind. One that was read before a later one, as when
// the socket was asked directly in between, is no news.
void DatagramSource::note_kernel_drops(std::uint32_t total) noexcept {
  const std::uint32_t news = total - last_drops_;
  if (news > std::uint32_t{1} << 31) return;
  intake_.counters().kernel_drops += news;
  last_drops_ = total;
}

void DatagramSource::refresh_counters() {
  if (!socket_.is_open()) return;
  if (const auto drops = dropped_datagrams(socket_.native_handle())) note_kernel_drops(*drops);
}

void DatagramSource::stop_and_drain(std::chrono::steady_clock::time_point deadline) {
  const ResourceTrackingGuard guard(context_.group);
  cancelled_.emit(net::cancellation_type::all);
  while (std::chrono::steady_clock::now() < deadline && read_one()) {
  }
  refresh_counters();
  socket_.close();
}

void DatagramSource::Bounds::specify_bounds(MemoryBoundsBuilder& builder) const {
  builder.minimum()
      .with_expr(UsageExpr::config("max_packet_bytes", charged_block_bytes(max_packet_bytes)))
      .with_single_value<DatagramSource>("source")
      .with_fixed_amount("coroutine", kCoroutineBytes);
}

}  // namespace bursar::statsd
