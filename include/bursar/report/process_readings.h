#pragma once

#include <bursar/limiter/memory_sensor.h>

#include <cstdint>
#include <optional>
#include <string>

namespace bursar {

// What the C library's allocator has from the kernel.
struct AllocatorReading {
  std::uint64_t footprint_bytes;  // in use or not
  std::uint64_t in_use_bytes;
};

// Nothing where the program brings an allocator of its own, which leaves the C library's empty.
//
// Thread-safety: yes. Allocates: no. Blocks: it takes the locks of the allocator's arenas, one after the other.
// Cost: a visit of every free chunk, with the lock of its arena held: milliseconds where there are hundreds of
// thousands.
[[nodiscard]] std::optional<AllocatorReading> read_allocator() noexcept;

// What the kernel charges the process's control group for. The working set is what it cannot take back without harm:
// all but the file pages that were not used lately.
struct CgroupReading {
  std::uint64_t usage_bytes;
  std::uint64_t working_set_bytes;
};

// Figures of the process as a whole at one moment. Nothing where a figure cannot be had.
//
// Thread-safety: a plain value. Allocates: no. Blocks: no.
struct ProcessReadings {
  std::optional<std::uint64_t> resident_bytes;
  std::optional<CgroupReading> cgroup;
  std::optional<std::uint64_t> cgroup_limit_bytes;  // the lowest of its ancestors'
  std::optional<std::uint64_t> cpu_time_nanos;      // of all its threads, past ones included
};

// Takes those readings from the operating system. Where the process stands among the control groups, and what they
// limit it to, is found out once, at the beginning.
//
// Thread-safety: reading is. Allocates: yes. Blocks: it reads a few files of /proc and /sys. Cost: some 10 us a
// reading.
class ProcessSensor {
 public:
  // `system_root` stands before "/proc" and "/sys": a folder that imitates a machine.
  explicit ProcessSensor(const std::string& system_root = "");

  [[nodiscard]] ProcessReadings read() const;

 private:
  struct CgroupFiles {
    std::string usage;
    std::string statistics;
    std::string inactive_key;
  };

  [[nodiscard]] static std::optional<CgroupFiles> find_cgroup_files(const std::string& system_root);
  [[nodiscard]] std::optional<CgroupReading> read_cgroup() const;

  MemorySensor resident_;
  std::optional<CgroupFiles> cgroup_files_;
  std::optional<std::uint64_t> cgroup_limit_bytes_;
};

}  // namespace bursar
