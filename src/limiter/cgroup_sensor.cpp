#include <bursar/base/file_reader.h>
#include <bursar/base/in_quotes.h>
#include <bursar/limiter/cgroup_files.h>
#include <bursar/limiter/cgroup_sensor.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

namespace bursar {
namespace {

constexpr std::chrono::milliseconds kStatInterval{50};
constexpr std::size_t kUsageBytes = 64;
constexpr std::size_t kStatBytes = std::size_t{16} << 10;

using Figure = std::expected<std::uint64_t, std::error_code>;

std::optional<std::uint64_t> parse_number(std::string_view text) noexcept {
  std::uint64_t number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view left = text.substr(static_cast<std::size_t>(rest - text.data()));
  if (error != std::errc{} || !(left.empty() || left == "\n")) return std::nullopt;
  return number;
}

// A file that is opened anew once it could not be read or understood.
class ReopenedFile {
 public:
  explicit ReopenedFile(std::string path) : path_(std::move(path)) {}

  [[nodiscard]] const std::string& path() const noexcept { return path_; }

  [[nodiscard]] std::expected<std::string_view, std::error_code> read(std::span<char> buffer) {
    if (!file_) {
      auto opened = FileReader::open(path_);
      if (!opened) return std::unexpected(opened.error());
      file_.emplace(*std::move(opened));
    }
    auto text = file_->read(buffer);
    if (!text) file_.reset();
    return text;
  }

  void open_again() noexcept { file_.reset(); }

 private:
  std::string path_;
  std::optional<FileReader> file_;
};

class WorkingSet {
 public:
  WorkingSet(const CgroupPlace& group, Clock& clock)
      : usage_(group.directory + (group.version == CgroupVersion::V2 ? "/memory.current" : "/memory.usage_in_bytes")),
        stat_(group.directory + "/memory.stat"),
        inactive_key_(group.version == CgroupVersion::V2 ? "inactive_file" : "total_inactive_file"),
        clock_(clock) {}

  // Whether all of it can be read; the error names the file.
  [[nodiscard]] std::expected<void, std::string> probe() {
    if (const Figure usage = read_usage(); !usage) return broken(usage_, usage.error(), "a number of bytes");
    if (const Figure inactive = read_inactive(); !inactive) {
      return broken(stat_, inactive.error(), "a line of " + std::string(inactive_key_) + " and a number of bytes");
    }
    return {};
  }

  [[nodiscard]] Figure read() {
    const Figure usage = read_usage();
    if (!usage) return usage;
    const Clock::TimePoint now = clock_.now();
    if (!inactive_bytes_ || now - inactive_read_at_ >= kStatInterval) {
      const Figure inactive = read_inactive();
      if (!inactive) {
        inactive_bytes_.reset();
        return inactive;
      }
      inactive_bytes_ = *inactive;
      inactive_read_at_ = now;
    }
    return *usage > *inactive_bytes_ ? *usage - *inactive_bytes_ : 0;
  }

 private:
  static std::unexpected<std::string> broken(const ReopenedFile& file, std::error_code error, const std::string& form) {
    if (error == std::errc::bad_message)
      return std::unexpected(file.path() + " is not understood; it should hold " + form);
    return std::unexpected("cannot read " + file.path() + ": " + error.message());
  }

  [[nodiscard]] Figure read_usage() {
    std::array<char, kUsageBytes> buffer;
    const auto text = usage_.read(buffer);
    if (!text) return std::unexpected(text.error());
    return understood(parse_number(*text), usage_);
  }

  [[nodiscard]] Figure read_inactive() {
    std::array<char, kStatBytes> buffer;
    const auto text = stat_.read(buffer);
    if (!text) return std::unexpected(text.error());
    const auto value = find_cgroup_stat(*text, inactive_key_);
    return understood(value ? parse_number(*value) : std::nullopt, stat_);
  }

  static Figure understood(std::optional<std::uint64_t> number, ReopenedFile& file) {
    if (number) return *number;
    file.open_again();
    return std::unexpected(std::make_error_code(std::errc::bad_message));
  }

  ReopenedFile usage_;
  ReopenedFile stat_;
  std::string_view inactive_key_;
  Clock& clock_;
  std::optional<std::uint64_t> inactive_bytes_;
  Clock::TimePoint inactive_read_at_;
};

}  // namespace

std::expected<MemorySensor, std::string> cgroup_working_set_sensor(const CgroupPlace& group, Clock& clock) {
  // Shared, as a std::function has to be copyable.
  auto working_set = std::make_shared<WorkingSet>(group, clock);
  if (const auto works = working_set->probe(); !works) return std::unexpected(works.error());
  return MemorySensor("the working set of " + group.directory, [working_set] { return working_set->read(); });
}

}  // namespace bursar
