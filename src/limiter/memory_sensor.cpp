#include <bursar/base/file_reader.h>
#include <bursar/base/in_quotes.h>
#include <bursar/limiter/memory_sensor.h>

#include <unistd.h>

#include <array>
#include <charconv>
#include <memory>
#include <utility>

namespace bursar {
namespace {

using StatmText = std::array<char, 256>;  // seven numbers of 20 digits at most

std::optional<std::uint64_t> pages_to_bytes(std::uint64_t pages, std::uint64_t page_bytes) noexcept {
  std::uint64_t bytes = 0;
  if (__builtin_mul_overflow(pages, page_bytes, &bytes)) return std::nullopt;
  return bytes;
}

}  // namespace

MemorySensor::Reading MemorySensor::read() const noexcept {
  try {
    return read_();
  } catch (...) {
    return std::unexpected(std::make_error_code(std::errc::operation_canceled));
  }
}

std::optional<std::uint64_t> parse_statm_resident_pages(std::string_view text) noexcept {
  std::uint64_t pages = 0;
  const char* position = text.data();
  const char* const end = text.data() + text.size();
  for (int number = 0; number < 2; ++number) {
    if (number == 1) {
      if (position == end || *position != ' ') return std::nullopt;
      ++position;
    }
    const auto [rest, error] = std::from_chars(position, end, pages);
    if (error != std::errc{}) return std::nullopt;
    position = rest;
  }
  if (position == end || (*position != ' ' && *position != '\n')) return std::nullopt;
  return pages;
}

std::expected<MemorySensor, std::string> resident_size_sensor(const std::string& system_root) {
  const std::string path = system_root + "/proc/self/statm";
  auto opened = FileReader::open(path);
  if (!opened) return std::unexpected("cannot open " + path + ": " + opened.error().message());

  const auto page_bytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  StatmText buffer;
  const auto text = opened->read(buffer);
  if (!text) return std::unexpected("cannot read " + path + ": " + text.error().message());
  const auto pages = parse_statm_resident_pages(*text);
  if (!pages || !pages_to_bytes(*pages, page_bytes)) {
    return std::unexpected(path + " holds " + in_quotes(*text) + "; its second number should be the resident pages");
  }

  // Shared, as a std::function has to be copyable.
  return MemorySensor(
      "the resident size in " + path,
      [file = std::make_shared<const FileReader>(*std::move(opened)), page_bytes]() -> MemorySensor::Reading {
        StatmText statm;
        const auto reading = file->read(statm);
        if (!reading) return std::unexpected(reading.error());
        const auto resident_pages = parse_statm_resident_pages(*reading);
        const auto bytes = resident_pages ? pages_to_bytes(*resident_pages, page_bytes) : std::nullopt;
        if (!bytes) return std::unexpected(std::make_error_code(std::errc::bad_message));
        return *bytes;
      });
}

}  // namespace bursar
