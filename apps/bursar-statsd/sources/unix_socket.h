#pragma once

#include <sys/types.h>

#include <expected>
#include <string>
#include <utility>

#include "sources/unique_descriptor.h"

namespace bursar::statsd {

// A bound Unix datagram socket. Its file is removed at the end, if it is still the one that was made.
//
// Thread-safety: belongs to one thread. Allocates: its path. Blocks: no.
class UnixDatagramSocket {
 public:
  // Binds with rights for the owner alone. A socket file that is there already is replaced if nobody listens on it; any
  // other file is not touched. The error is one line with the path and what is wrong with it.
  [[nodiscard]] static std::expected<UnixDatagramSocket, std::string> open(const std::string& path);

  UnixDatagramSocket(UnixDatagramSocket&& other) noexcept
      : descriptor_(std::move(other.descriptor_)),
        path_(std::exchange(other.path_, {})),
        device_(other.device_),
        inode_(other.inode_) {}
  UnixDatagramSocket& operator=(UnixDatagramSocket&&) = delete;
  ~UnixDatagramSocket();

  [[nodiscard]] int descriptor() const noexcept { return descriptor_.get(); }
  // Gives the descriptor to the caller; the file is still removed at the end.
  [[nodiscard]] UniqueDescriptor take_descriptor() noexcept { return std::move(descriptor_); }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  UnixDatagramSocket(UniqueDescriptor descriptor, std::string path, dev_t device, ino_t inode)
      : descriptor_(std::move(descriptor)), path_(std::move(path)), device_(device), inode_(inode) {}

  UniqueDescriptor descriptor_;
  std::string path_;  // empty once moved from
  dev_t device_;
  ino_t inode_;
};

}  // namespace bursar::statsd
