#include <bursar/base/file_reader.h>

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>
#include <system_error>
#include <utility>

namespace bursar {
namespace {

// A file of its own for each test.
class FileReaderTest : public ::testing::Test {
 protected:
  FileReaderTest() : path_(::testing::TempDir() + "bursar-file-reader-XXXXXX") {
    descriptor_ = ::mkstemp(path_.data());
    EXPECT_GE(descriptor_, 0);
  }
  ~FileReaderTest() override {
    ::close(descriptor_);
    ::unlink(path_.c_str());
  }

  void write(const std::string& text) {
    ASSERT_EQ(::ftruncate(descriptor_, 0), 0);
    ASSERT_EQ(::pwrite(descriptor_, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  }

  std::string path_;
  int descriptor_ = -1;
};

TEST_F(FileReaderTest, EachReadingStartsAtTheBeginning) {
  write("first\n");
  const auto file = FileReader::open(path_);
  ASSERT_TRUE(file);
  std::array<char, 64> buffer;
  EXPECT_EQ(file->read(buffer), "first\n");
  EXPECT_EQ(file->read(buffer), "first\n");
}

TEST_F(FileReaderTest, AReadingSeesWhatTheFileHoldsNow) {
  write("old and long");
  const auto file = FileReader::open(path_);
  ASSERT_TRUE(file);
  std::array<char, 64> buffer;
  ASSERT_EQ(file->read(buffer), "old and long");
  write("new");
  EXPECT_EQ(file->read(buffer), "new");
}

TEST_F(FileReaderTest, AFileThatFillsTheBufferIsAnError) {
  write("12345678");
  const auto file = FileReader::open(path_);
  ASSERT_TRUE(file);
  std::array<char, 8> full;
  EXPECT_EQ(file->read(full).error(), std::errc::file_too_large);
  std::array<char, 9> enough;
  EXPECT_EQ(file->read(enough), "12345678");
}

TEST_F(FileReaderTest, AMissingFileIsAnError) {
  EXPECT_EQ(FileReader::open(path_ + ".missing").error(), std::errc::no_such_file_or_directory);
}

TEST_F(FileReaderTest, AFolderIsAnError) {
  const auto folder = FileReader::open(::testing::TempDir());
  ASSERT_TRUE(folder);
  std::array<char, 8> buffer;
  EXPECT_EQ(folder->read(buffer).error(), std::errc::is_a_directory);
}

TEST_F(FileReaderTest, AMovedReaderGoesOnReading) {
  write("text");
  auto opened = FileReader::open(path_);
  ASSERT_TRUE(opened);
  FileReader moved(*std::move(opened));
  auto other = FileReader::open("/proc/self/statm");
  ASSERT_TRUE(other);
  *other = std::move(moved);
  std::array<char, 8> buffer;
  EXPECT_EQ(other->read(buffer), "text");
}

TEST_F(FileReaderTest, ATextLargerThanOneBlockIsReadWhole) {
  const std::string text(100'000, 'x');
  write(text);
  EXPECT_EQ(read_text_file(path_, 100'000), text);
}

TEST_F(FileReaderTest, ATextLargerThanAllowedIsAnError) {
  write(std::string(100'001, 'x'));
  EXPECT_EQ(read_text_file(path_, 100'000).error(), std::errc::file_too_large);
}

TEST_F(FileReaderTest, AnEmptyFileIsAnEmptyText) {
  EXPECT_EQ(read_text_file(path_, 0), "");
}

}  // namespace
}  // namespace bursar
