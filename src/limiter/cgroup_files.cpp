#include <bursar/base/in_quotes.h>
#include <bursar/limiter/cgroup_files.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace bursar {
namespace {

constexpr std::uint64_t kUnlimitedFrom = std::uint64_t{1} << 62;

// Cuts the text before `separator` off the front of `text`; all of it where there is no separator.
std::string_view cut(std::string_view& text, char separator) noexcept {
  const std::size_t end = text.find(separator);
  const std::string_view head = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return head;
}

bool list_contains(std::string_view list, std::string_view wanted) noexcept {
  while (!list.empty()) {
    if (cut(list, ',') == wanted) return true;
  }
  return false;
}

bool is_octal_digit(char character) noexcept {
  return character >= '0' && character <= '7';
}

// mountinfo writes space, tab, line feed and backslash as \ooo.
std::string unescape(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && text[i + 1] <= '3' && is_octal_digit(text[i + 1]) &&
        is_octal_digit(text[i + 2]) && is_octal_digit(text[i + 3])) {
      result += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      result += text[i];
    }
  }
  return result;
}

std::string_view trimmed(std::string_view text) noexcept {
  constexpr std::string_view kWhiteSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kWhiteSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kWhiteSpace) - first + 1);
}

// One line: 36 35 98:0 /root /mount/point rw,noatime master:1 - cgroup cgroup rw,memory
std::optional<CgroupMount> parse_mount(std::string_view line) {
  for (int skipped = 0; skipped < 3; ++skipped) cut(line, ' ');
  const std::string_view root = cut(line, ' ');
  const std::string_view mount_point = cut(line, ' ');
  // The optional fields before the lone hyphen differ in number.
  while (!line.empty() && cut(line, ' ') != "-") {
  }
  const std::string_view type = cut(line, ' ');
  cut(line, ' ');
  const std::string_view super_options = cut(line, ' ');

  if (!root.starts_with('/') || !mount_point.starts_with('/')) return std::nullopt;
  if (type == "cgroup2") {
    return CgroupMount{.version = CgroupVersion::V2, .root = unescape(root), .mount_point = unescape(mount_point)};
  }
  if (type == "cgroup" && list_contains(super_options, "memory")) {
    return CgroupMount{.version = CgroupVersion::V1, .root = unescape(root), .mount_point = unescape(mount_point)};
  }
  return std::nullopt;
}

// A path with ".." leads out of the cgroup namespace, to where nothing can be said about it.
bool leads_out(std::string_view path) noexcept {
  while (!path.empty()) {
    if (cut(path, '/') == "..") return true;
  }
  return false;
}

}  // namespace

CgroupMembership parse_cgroup_membership(std::string_view text) {
  CgroupMembership membership;
  while (!text.empty()) {
    // hierarchy-ID:controllers:path, where the path may hold colons.
    std::string_view path = cut(text, '\n');
    const std::string_view hierarchy = cut(path, ':');
    const std::string_view controllers = cut(path, ':');
    if (!path.starts_with('/')) continue;
    if (hierarchy == "0" && controllers.empty()) membership.unified_path = path;
    if (list_contains(controllers, "memory")) membership.memory_path = path;
  }
  return membership;
}

std::vector<CgroupMount> parse_cgroup_mounts(std::string_view mountinfo) {
  std::vector<CgroupMount> mounts;
  while (!mountinfo.empty()) {
    if (auto mount = parse_mount(cut(mountinfo, '\n'))) mounts.push_back(*std::move(mount));
  }
  return mounts;
}

std::expected<std::optional<std::uint64_t>, std::string> parse_cgroup_limit(std::string_view text) {
  const std::string_view number = trimmed(text);
  if (number == "max") return std::nullopt;
  std::uint64_t bytes = 0;
  const auto [rest, error] = std::from_chars(number.data(), number.data() + number.size(), bytes);
  if (error != std::errc{} || rest != number.data() + number.size()) {
    return std::unexpected(in_quotes(number) + " is no memory limit; it should be a number of bytes or max");
  }
  if (bytes >= kUnlimitedFrom) return std::nullopt;
  return bytes;
}

std::optional<std::string_view> find_cgroup_stat(std::string_view text, std::string_view key) noexcept {
  while (!text.empty()) {
    std::string_view value = cut(text, '\n');
    if (cut(value, ' ') == key) return value;
  }
  return std::nullopt;
}

std::optional<std::string> cgroup_directory(const CgroupMount& mount, std::string_view path) {
  if (leads_out(path)) return std::nullopt;
  std::string_view below = path;
  if (leads_out(mount.root)) {
    // What is mounted is an ancestor of everything this namespace can name, but the way down from there cannot be told.
    below = {};
  } else if (mount.root != "/") {
    if (!path.starts_with(mount.root)) return std::nullopt;
    below.remove_prefix(mount.root.size());
    if (!below.empty() && below.front() != '/') return std::nullopt;
  }
  while (below.ends_with('/')) below.remove_suffix(1);
  return mount.mount_point + std::string(below);
}

}  // namespace bursar
