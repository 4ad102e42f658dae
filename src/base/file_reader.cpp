#include <bursar/base/file_reader.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace bursar {
namespace {

std::error_code last_error() noexcept {
  return {errno, std::generic_category()};
}

std::expected<std::size_t, std::error_code> read_piece(int descriptor, std::span<char> buffer, std::size_t offset) {
  for (;;) {
    const ssize_t count = ::pread(descriptor, buffer.data(), buffer.size(), static_cast<off_t>(offset));
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) return std::unexpected(last_error());
  }
}

}  // namespace

std::expected<FileReader, std::error_code> FileReader::open(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return std::unexpected(last_error());
  return FileReader(descriptor);
}

std::expected<std::string_view, std::error_code> FileReader::read(std::span<char> buffer) const noexcept {
  const auto length = read_piece(descriptor_, buffer, 0);
  if (!length) return std::unexpected(length.error());
  if (*length == buffer.size()) return std::unexpected(std::make_error_code(std::errc::file_too_large));
  return std::string_view(buffer.data(), *length);
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
  constexpr std::size_t kPieceBytes = 4096;
  const auto file = FileReader::open(path);
  if (!file) return std::unexpected(file.error());
  std::string text;
  // Long files of /proc come in pieces, each shorter than what was asked for; only an empty one is the end.
  for (std::size_t length = 0; length <= max_bytes;) {
    text.resize(length + kPieceBytes);
    const auto piece = read_piece(file->descriptor_, std::span(text).subspan(length), length);
    if (!piece) return std::unexpected(piece.error());
    length += *piece;
    if (*piece == 0) {
      text.resize(length);
      return text;
    }
  }
  return std::unexpected(std::make_error_code(std::errc::file_too_large));
}

}  // namespace bursar
