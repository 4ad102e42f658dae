#pragma once

#include <bursar/limiter/cgroup_files.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace bursar {

struct DetectMemoryLimitOptions {
  // What stands before "/proc" and before each mount point: a folder that imitates a machine.
  std::string system_root;
};

// A control group that counts memory.
struct CgroupPlace {
  CgroupVersion version = CgroupVersion::V2;
  std::string directory;
};

struct CgroupLimit {
  std::uint64_t bytes = 0;
  std::string source;  // the file that says so; "FILE (KEY)" where it is one line of it
  // Whose usage counts against it: the process's own group or an ancestor, with all that lies in it.
  CgroupPlace group = {};
};

struct DetectedMemoryLimit {
  // Beyond this the kernel kills: the lowest memory.max (version 2) or memory.limit_in_bytes (version 1) of the
  // process's control group and all its ancestors that can be seen. Nothing where none is limited.
  std::optional<CgroupLimit> hard;
  // Beyond this the kernel slows the process down: the lowest memory.high; version 1 has nothing of the kind.
  std::optional<CgroupLimit> soft;
  // The process's own group in the hierarchy that counts memory.
  std::optional<CgroupPlace> own_group;
  // Its directory in the hierarchy of version 2, whether that counts memory or not.
  std::optional<std::string> unified_directory;
  // What could not be read or understood, one line each: with a warning the true limit may be lower than what was
  // found.
  std::vector<std::string> warnings;
};

// The memory limit that the kernel's control groups set for this process: version 1, version 2, or both side by side,
// on the host as in containers within containers. Never fails: what is wrong becomes a warning.
//
// In a container of version 1 the kernel also tells of ancestors that cannot be seen from within; in one of version 2
// it does not, so a limit of the container's parent is not found there.
//
// Thread-safety: yes. Allocates: yes. Blocks: it reads a few files of /proc and /sys.
[[nodiscard]] DetectedMemoryLimit detect_memory_limit(const DetectMemoryLimitOptions& options = {});

}  // namespace bursar
