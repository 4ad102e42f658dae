#include "sources/unix_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

#include <bursar/base/in_quotes.h>

namespace bursar::statsd {
namespace {

constexpr mode_t kOwnerOnly = 0600;

std::unexpected<std::string> cannot_listen(const std::string& path, std::string_view reason) {
  return std::unexpected("cannot listen on unix " + in_quotes(path) + ": " + std::string(reason));
}
std::unexpected<std::string> cannot_listen(const std::string& path, int error) {
  return cannot_listen(path, std::generic_category().message(error));
}

// Whether a socket file is left over from a program that is gone: nobody answers a connection.
bool is_stale(const sockaddr_un& name) {
  const UniqueDescriptor probe(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!probe) return false;
  return ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0 && errno == ECONNREFUSED;
}

std::expected<void, std::string> make_way(const std::string& path, const sockaddr_un& name) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return {};
    return cannot_listen(path, errno);
  }
  if (!S_ISSOCK(status.st_mode)) return cannot_listen(path, "there is a file of this name that is no socket");
  if (!is_stale(name)) return cannot_listen(path, "another program listens on it");
  if (::unlink(path.c_str()) != 0) return cannot_listen(path, errno);
  return {};
}

}  // namespace

std::expected<UnixDatagramSocket, std::string> UnixDatagramSocket::open(const std::string& path) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof name.sun_path) {
    return cannot_listen(path,
                         "the path of a socket has from 1 to 107 bytes, this one has " + std::to_string(path.size()));
  }
  std::ranges::copy(path, name.sun_path);
  if (const auto ready = make_way(path, name); !ready) return std::unexpected(ready.error());

  UniqueDescriptor descriptor(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!descriptor) return cannot_listen(path, errno);
  // The file takes over the mode of the socket: at no moment has it more rights than these.
  if (::fchmod(descriptor.get(), kOwnerOnly) != 0) return cannot_listen(path, errno);
  if (::bind(descriptor.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) {
    return cannot_listen(path, errno);
  }
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) return cannot_listen(path, errno);
  return UnixDatagramSocket(std::move(descriptor), path, status.st_dev, status.st_ino);
}

UnixDatagramSocket::~UnixDatagramSocket() {
  if (path_.empty()) return;
  struct stat status{};
  if (::lstat(path_.c_str(), &status) != 0) return;
  if (status.st_dev == device_ && status.st_ino == inode_) ::unlink(path_.c_str());
}

}  // namespace bursar::statsd
