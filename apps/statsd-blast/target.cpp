#include "target.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>

namespace bursar::blast {
namespace {

std::unexpected<std::string> cannot_connect(const TargetAddress& address, std::string_view reason) {
  return std::unexpected("cannot send to " + address.text + ": " + std::string(reason));
}

std::string reason_of(int error) {
  return std::generic_category().message(error);
}

// A send that waits for room comes back now and then, so that the end of the run is noticed.
bool set_send_timeout(int descriptor) {
  const timeval timeout{.tv_sec = 0, .tv_usec = 100'000};
  return ::setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) == 0;
}

std::expected<int, std::string> connect_unix(const TargetAddress& address) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (address.host.size() >= sizeof name.sun_path) {
    return cannot_connect(address, "the path of a socket has at most 107 bytes");
  }
  std::ranges::copy(address.host, name.sun_path);
  const int descriptor = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return cannot_connect(address, reason_of(errno));
  if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) {
    const int error = errno;
    ::close(descriptor);
    return cannot_connect(address, reason_of(error));
  }
  return descriptor;
}

std::expected<int, std::string> connect_internet(const TargetAddress& address) {
  addrinfo hints{};
  hints.ai_socktype = address.kind == TargetAddress::Kind::kTcp ? SOCK_STREAM : SOCK_DGRAM;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
      error != 0) {
    return cannot_connect(address, ::gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  int error = EADDRNOTAVAIL;
  for (const addrinfo* candidate = found; candidate != nullptr; candidate = candidate->ai_next) {
    const int descriptor =
        ::socket(candidate->ai_family, candidate->ai_socktype | SOCK_CLOEXEC, candidate->ai_protocol);
    if (descriptor < 0) {
      error = errno;
      continue;
    }
    if (::connect(descriptor, candidate->ai_addr, candidate->ai_addrlen) == 0) return descriptor;
    error = errno;
    ::close(descriptor);
  }
  return cannot_connect(address, reason_of(error));
}

}  // namespace

std::expected<Target, std::string> Target::connect(const TargetAddress& address) {
  const auto descriptor =
      address.kind == TargetAddress::Kind::kUnixDatagram ? connect_unix(address) : connect_internet(address);
  if (!descriptor) return std::unexpected(descriptor.error());
  Target target(*descriptor, address.kind == TargetAddress::Kind::kTcp);
  if (!set_send_timeout(*descriptor)) return cannot_connect(address, reason_of(errno));
  return target;
}

Target::~Target() {
  if (descriptor_ < 0) return;
  // A stream's last bytes are still delivered: nothing that we have not read makes the kernel reset it.
  ::close(descriptor_);
}

SendResult Target::send_some(std::string_view packet, std::size_t already_sent) {
  SendResult result;
  result.sent_bytes = already_sent;
  while (result.sent_bytes < packet.size()) {
    const ssize_t sent =
        ::send(descriptor_, packet.data() + result.sent_bytes, packet.size() - result.sent_bytes, MSG_NOSIGNAL);
    if (sent >= 0) {
      result.sent_bytes += static_cast<std::size_t>(sent);
      continue;
    }
    result.error = errno;
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
      result.outcome = SendResult::Outcome::kStopped;
    } else {
      result.outcome = is_stream_ ? SendResult::Outcome::kClosed : SendResult::Outcome::kFailed;
    }
    return result;
  }
  return result;
}

}  // namespace bursar::blast
