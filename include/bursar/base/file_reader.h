#pragma once

#include <cstddef>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

namespace bursar {

// A small text file of the operating system (/proc, /sys) that is kept open and read again and again, each time from
// its start, by one system call of 0.3 to 0.5 us. It has to be a file that the kernel gives in one piece, as it does
// those of a few lines.
//
// A file of /proc/self stays that of the process that opened it: a forked child has to open its own.
//
// Thread-safety: yes. Allocates: no, but for the path it is opened with. Blocks: as the file system does; /proc does
// not.
class FileReader {
 public:
  [[nodiscard]] static std::expected<FileReader, std::error_code> open(const std::string& path);

  // The whole file, which lies in `buffer`. A file that does not leave at least one byte of it free may have been cut
  // off, and is an error: std::errc::file_too_large.
  [[nodiscard]] std::expected<std::string_view, std::error_code> read(std::span<char> buffer) const noexcept;

  FileReader(FileReader&& other) noexcept;
  FileReader& operator=(FileReader&& other) noexcept;
  ~FileReader();

 private:
  friend std::expected<std::string, std::error_code> read_text_file(const std::string& path, std::size_t max_bytes);

  explicit FileReader(int descriptor) noexcept : descriptor_(descriptor) {}

  int descriptor_;
};

// The whole of a text file, opened for this once. A file of more than `max_bytes` is an error:
// std::errc::file_too_large.
//
// Thread-safety: yes. Allocates: the text. Blocks: as the file system does.
[[nodiscard]] std::expected<std::string, std::error_code> read_text_file(const std::string& path,
                                                                         std::size_t max_bytes);

}  // namespace bursar
