#include "sources/datagram_socket.h"

#include <linux/sock_diag.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <boost/asio/ip/udp.hpp>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace bursar::statsd {
namespace {

std::unexpected<std::string> cannot_listen(const Endpoint& endpoint, int error) {
  return std::unexpected("cannot listen on udp " + to_string(endpoint) + ": " + std::generic_category().message(error));
}

std::optional<std::uint32_t> drops_in(msghdr& message) noexcept {
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SO_RXQ_OVFL) continue;
    std::uint32_t drops = 0;
    std::memcpy(&drops, CMSG_DATA(header), sizeof drops);
    return drops;
  }
  return std::nullopt;
}

std::size_t set_receive_buffer(int descriptor, std::size_t bytes) {
  int wanted = static_cast<int>(bytes);
  if (::setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &wanted, sizeof wanted) != 0) {
    ::setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &wanted, sizeof wanted);
  }
  int granted = 0;
  socklen_t length = sizeof granted;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &granted, &length) != 0) return 0;
  return static_cast<std::size_t>(granted);
}

}  // namespace

ReceivedDatagram receive_datagram(int descriptor, std::span<char> buffer) noexcept {
  iovec part{.iov_base = buffer.data(), .iov_len = buffer.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(std::uint32_t))> control;
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t received = 0;
  do {
    received = ::recvmsg(descriptor, &message, MSG_DONTWAIT);
  } while (received < 0 && errno == EINTR);

  ReceivedDatagram datagram;
  if (received >= 0) {
    datagram.outcome = ReceivedDatagram::Outcome::kDatagram;
    datagram.bytes = static_cast<std::size_t>(received);
    datagram.is_truncated = (message.msg_flags & MSG_TRUNC) != 0;
    datagram.drops = drops_in(message);
  } else if (errno != EAGAIN && errno != EWOULDBLOCK) {
    datagram.outcome = ReceivedDatagram::Outcome::kError;
    datagram.error = errno;
  }
  return datagram;
}

std::optional<std::uint32_t> dropped_datagrams(int descriptor) noexcept {
  std::array<std::uint32_t, SK_MEMINFO_VARS> figures{};
  socklen_t length = sizeof figures;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_MEMINFO, figures.data(), &length) != 0) return std::nullopt;
  if (length <= SK_MEMINFO_DROPS * sizeof(std::uint32_t)) return std::nullopt;
  return figures[SK_MEMINFO_DROPS];
}

std::expected<UdpSocket, std::string> open_udp_socket(const Endpoint& endpoint, std::size_t receive_buffer_bytes) {
  boost::system::error_code parse_error;
  const auto address = boost::asio::ip::make_address(endpoint.host, parse_error);
  if (parse_error) return cannot_listen(endpoint, EINVAL);
  boost::asio::ip::udp::endpoint name(address, endpoint.port);

  UdpSocket socket;
  socket.descriptor =
      UniqueDescriptor(::socket(name.protocol().family(), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int descriptor = socket.descriptor.get();
  if (descriptor < 0) return cannot_listen(endpoint, errno);
  const int enabled = 1;
  if (::setsockopt(descriptor, SOL_SOCKET, SO_RXQ_OVFL, &enabled, sizeof enabled) != 0) {
    return cannot_listen(endpoint, errno);
  }
  socket.granted_buffer_bytes = set_receive_buffer(descriptor, receive_buffer_bytes);
  if (::bind(descriptor, name.data(), static_cast<socklen_t>(name.size())) != 0) return cannot_listen(endpoint, errno);
  auto length = static_cast<socklen_t>(name.capacity());
  if (::getsockname(descriptor, name.data(), &length) != 0) return cannot_listen(endpoint, errno);
  socket.endpoint = {endpoint.host, name.port()};
  return socket;
}

}  // namespace bursar::statsd
