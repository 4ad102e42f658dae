#include <bursar/base/file_reader.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace bursar {
namespace {

std::error_code last_error() noexcept {
  return {errno, std::generic_category()};
}

}  // namespace

std::expected<FileReader, std::error_code> FileReader::open(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return std::unexpected(last_error());
  return FileReader(descriptor);
}

std::expected<std::string_view, std::error_code> FileReader::read(std::span<char> buffer) const noexcept {
  std::size_t length = 0;
  while (length < buffer.size()) {
    const ssize_t count =
        ::pread(descriptor_, buffer.data() + length, buffer.size() - length, static_cast<off_t>(length));
    if (count < 0) {
      if (errno == EINTR) continue;
      return std::unexpected(last_error());
    }
    if (count == 0) return std::string_view(buffer.data(), length);
    length += static_cast<std::size_t>(count);
  }
  return std::unexpected(std::make_error_code(std::errc::file_too_large));
}

FileReader::FileReader(FileReader&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

FileReader& FileReader::operator=(FileReader&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

FileReader::~FileReader() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::expected<std::string, std::error_code> read_text_file(const std::string& path, std::size_t max_bytes) {
  const auto file = FileReader::open(path);
  if (!file) return std::unexpected(file.error());
  std::string text;
  for (std::size_t capacity = 4096;; capacity *= 4) {
    text.resize(std::min(capacity, max_bytes + 1));
    const auto content = file->read(text);
    if (content) {
      text.resize(content->size());
      return text;
    }
    if (content.error() != std::errc::file_too_large || capacity > max_bytes) return std::unexpected(content.error());
  }
}

}  // namespace bursar
