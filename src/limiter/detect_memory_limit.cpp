#include <bursar/base/file_reader.h>
#include <bursar/limiter/cgroup_files.h>
#include <bursar/limiter/detect_memory_limit.h>

#include <unistd.h>

#include <cstddef>
#include <expected>
#include <string_view>
#include <system_error>
#include <utility>

namespace bursar {
namespace {

constexpr std::size_t kMaxFileBytes = std::size_t{16} << 20;  // a machine with many containers has many mounts

class Detection {
 public:
  explicit Detection(std::string system_root) : system_root_(std::move(system_root)) {}

  DetectedMemoryLimit run() {
    const std::optional<std::string> groups = read("/proc/self/cgroup", Absence::Noteworthy);
    const std::optional<std::string> mountinfo = read("/proc/self/mountinfo", Absence::Noteworthy);
    if (!groups || !mountinfo) return std::move(found_);

    const CgroupMembership membership = parse_cgroup_membership(*groups);
    if (!membership.unified_path && !membership.memory_path) {
      warn("/proc/self/cgroup", "names no control group; its lines should be ID:CONTROLLERS:/PATH");
    }
    const std::vector<CgroupMount> mounts = parse_cgroup_mounts(*mountinfo);
    if (membership.unified_path) walk_hierarchy(mounts, CgroupVersion::V2, *membership.unified_path);
    if (membership.memory_path) walk_hierarchy(mounts, CgroupVersion::V1, *membership.memory_path);
    return std::move(found_);
  }

 private:
  // Whether it is worth a warning that a file is not there. A group's limit is missing where the memory controller is
  // not switched on for it, and in the root of version 2.
  enum class Absence { Noteworthy, Usual };

  // The same hierarchy may be mounted several times, from different roots: each shows limits that hold.
  void walk_hierarchy(const std::vector<CgroupMount>& mounts, CgroupVersion version, const std::string& path) {
    bool mounted = false;
    bool shown = false;
    for (const CgroupMount& mount : mounts) {
      if (mount.version != version) continue;
      mounted = true;
      if (const auto directory = cgroup_directory(mount, path)) {
        shown = true;
        walk_up(version, *directory, mount.mount_point);
      }
    }
    if (mounted && !shown) warn("/proc/self/cgroup", "names " + path + ", which no mounted control group contains");
  }

  void walk_up(CgroupVersion version, std::string directory, const std::string& mount_point) {
    if (::access((system_root_ + directory).c_str(), F_OK) != 0) {
      warn(directory, "does not exist, though the process's control group should be there");
    }
    const std::string leaf = directory;
    note_own_group(version, leaf);
    for (;;) {
      const CgroupPlace group{.version = version, .directory = system_root_ + directory};
      if (version == CgroupVersion::V2) {
        note_limit(found_.hard, group, directory + "/memory.max");
        note_limit(found_.soft, group, directory + "/memory.high");
      } else {
        note_limit(found_.hard, group, directory + "/memory.limit_in_bytes");
      }
      if (directory.size() <= mount_point.size()) break;
      directory.resize(directory.rfind('/'));
    }
    if (version == CgroupVersion::V1) note_ancestors_out_of_sight(leaf);
  }

  void note_own_group(CgroupVersion version, const std::string& directory) {
    const char* const usage_file = version == CgroupVersion::V2 ? "/memory.current" : "/memory.usage_in_bytes";
    const std::string path = system_root_ + directory;
    if (::access((path + usage_file).c_str(), F_OK) == 0) {
      found_.own_group = CgroupPlace{.version = version, .directory = path};
    }
    if (version == CgroupVersion::V2) found_.unified_directory = path;
  }

  void note_ancestors_out_of_sight(const std::string& directory) {
    const std::string key = "hierarchical_memory_limit";
    const std::string file = directory + "/memory.stat";
    const std::optional<std::string> stat = read(file, Absence::Usual);
    if (!stat) return;
    // Their usage is out of sight, too; the process's own group's is what can be seen of it.
    const CgroupPlace group{.version = CgroupVersion::V1, .directory = system_root_ + directory};
    if (const auto value = find_cgroup_stat(*stat, key)) note(found_.hard, group, file + " (" + key + ")", *value);
  }

  void note_limit(std::optional<CgroupLimit>& lowest, const CgroupPlace& group, const std::string& file) {
    if (const std::optional<std::string> text = read(file, Absence::Usual)) note(lowest, group, file, *text);
  }

  // `source` is a file, or a line in one. Of equal limits the first that was seen is named: the nearest.
  void note(std::optional<CgroupLimit>& lowest, const CgroupPlace& group, const std::string& source,
            std::string_view text) {
    const auto limit = parse_cgroup_limit(text);
    if (!limit) {
      warn(source, "is not understood: " + limit.error());
    } else if (*limit && (!lowest || **limit < lowest->bytes)) {
      lowest = CgroupLimit{.bytes = **limit, .source = system_root_ + source, .group = group};
    }
  }

  std::optional<std::string> read(const std::string& file, Absence absence) {
    auto text = read_text_file(system_root_ + file, kMaxFileBytes);
    if (text) return *std::move(text);
    const bool absent = text.error() == std::errc::no_such_file_or_directory;
    if (!absent || absence == Absence::Noteworthy) warn(file, "cannot be read: " + text.error().message());
    return std::nullopt;
  }

  void warn(const std::string& file, const std::string& what) {
    found_.warnings.push_back(system_root_ + file + " " + what);
  }

  const std::string system_root_;
  DetectedMemoryLimit found_;
};

}  // namespace

DetectedMemoryLimit detect_memory_limit(const DetectMemoryLimitOptions& options) {
  return Detection(options.system_root).run();
}

}  // namespace bursar
