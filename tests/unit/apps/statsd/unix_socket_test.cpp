#include "sources/unix_socket.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace bursar::statsd {
namespace {

class UnixSocketTest : public testing::Test {
 protected:
  UnixSocketTest() {
    std::string pattern = "/tmp/bursar-unix-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    path_ = folder_ + "/s.sock";
  }
  ~UnixSocketTest() override { std::filesystem::remove_all(folder_); }

  // A socket that somebody else has at the path; its file stays when it is closed.
  [[nodiscard]] UniqueDescriptor other_socket() const {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::ranges::copy(path_, name.sun_path);
    UniqueDescriptor descriptor(::socket(AF_UNIX, SOCK_DGRAM, 0));
    EXPECT_EQ(::bind(descriptor.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
    return descriptor;
  }

  std::string folder_;
  std::string path_;
};

TEST_F(UnixSocketTest, IsForItsOwnerAloneAndGoneAtTheEnd) {
  {
    const auto socket = UnixDatagramSocket::open(path_);
    ASSERT_TRUE(socket.has_value()) << socket.error();
    struct stat status{};
    ASSERT_EQ(::stat(path_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U & ~0600U, 0U);
  }
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(UnixSocketTest, ReplacesASocketThatNobodyListensOn) {
  {
    const UniqueDescriptor gone = other_socket();
  }
  EXPECT_TRUE(UnixDatagramSocket::open(path_).has_value());
}

TEST_F(UnixSocketTest, LeavesASocketAloneThatSomebodyListensOn) {
  const UniqueDescriptor other = other_socket();
  const auto socket = UnixDatagramSocket::open(path_);
  ASSERT_FALSE(socket.has_value());
  EXPECT_NE(socket.error().find("another program"), std::string::npos) << socket.error();
  EXPECT_TRUE(std::filesystem::exists(path_));
}

TEST_F(UnixSocketTest, LeavesOtherFilesAlone) {
  std::ofstream(path_) << "precious";
  const auto socket = UnixDatagramSocket::open(path_);
  ASSERT_FALSE(socket.has_value());
  EXPECT_NE(socket.error().find("no socket"), std::string::npos) << socket.error();
  EXPECT_EQ(std::filesystem::file_size(path_), 8U);
}

TEST_F(UnixSocketTest, DoesNotRemoveAFileThatIsNotItsOwnAnyMore) {
  {
    const auto socket = UnixDatagramSocket::open(path_);
    ASSERT_TRUE(socket.has_value());
    std::filesystem::rename(path_, path_ + ".moved");
    std::ofstream(path_) << "another";
  }
  EXPECT_TRUE(std::filesystem::exists(path_));
}

TEST_F(UnixSocketTest, SaysWhatIsWrongWithAPath) {
  for (const std::string& path : {folder_ + "/missing/s.sock", std::string(200, 'x'), std::string()}) {
    const auto socket = UnixDatagramSocket::open(path);
    ASSERT_FALSE(socket.has_value());
    EXPECT_TRUE(socket.error().starts_with("cannot listen on unix")) << socket.error();
  }
}

}  // namespace
}  // namespace bursar::statsd
