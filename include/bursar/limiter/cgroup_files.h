#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bursar {

// The formats of the files that tell of control groups: /proc/PID/cgroup as in cgroups(7), /proc/PID/mountinfo as in
// proc(5), and the limits as in the kernel's Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst. Every
// function takes any text; lines that do not have the form are left out.
//
// Thread-safety: yes. Allocates: what is returned. Blocks: no.

// Where a process stands: its path in the unified hierarchy (version 2), and in that of version 1 that has the memory
// controller. Each begins with a slash.
struct CgroupMembership {
  std::optional<std::string> unified_path;
  std::optional<std::string> memory_path;
};
[[nodiscard]] CgroupMembership parse_cgroup_membership(std::string_view text);

enum class CgroupVersion : std::uint8_t { V1, V2 };

// A mounted hierarchy that may hold memory limits.
struct CgroupMount {
  CgroupVersion version;
  std::string root;         // what path of the hierarchy is mounted
  std::string mount_point;  // where
};
[[nodiscard]] std::vector<CgroupMount> parse_cgroup_mounts(std::string_view mountinfo);

// The content of memory.max, memory.high or memory.limit_in_bytes: bytes, or nothing where there is no limit, which is
// "max" in version 2 and in version 1 a number near 2^63; nobody has 2^62 bytes. The error quotes the text and says
// what would be right.
[[nodiscard]] std::expected<std::optional<std::uint64_t>, std::string> parse_cgroup_limit(std::string_view text);

// The number behind `key` in a file of lines "key number", such as memory.stat. Nothing where there is no such line.
[[nodiscard]] std::optional<std::string_view> find_cgroup_stat(std::string_view text, std::string_view key) noexcept;

// The directory of the group `path` where `mount` shows it: nothing where it does not lie under what is mounted.
[[nodiscard]] std::optional<std::string> cgroup_directory(const CgroupMount& mount, std::string_view path);

}  // namespace bursar
