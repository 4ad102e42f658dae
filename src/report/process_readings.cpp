#include <bursar/report/process_readings.h>

#include <bursar/base/file_reader.h>
#include <bursar/limiter/cgroup_files.h>
#include <bursar/limiter/detect_memory_limit.h>

#include <malloc.h>
#include <time.h>

#include <charconv>
#include <cstddef>
#include <string_view>

namespace bursar {
namespace {

constexpr std::size_t kMaxFileBytes = std::size_t{16} << 20;

std::optional<std::uint64_t> parse_number(std::string_view text) noexcept {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) {
    text.remove_suffix(1);
  }
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

std::optional<std::uint64_t> read_number(const std::string& path) {
  const auto text = read_text_file(path, kMaxFileBytes);
  return text ? parse_number(*text) : std::nullopt;
}

std::optional<std::uint64_t> read_cpu_time() noexcept {
  timespec time{};
  if (::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) != 0) {
    return std::nullopt;
  }
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(time.tv_nsec);
}

}  // namespace

std::optional<AllocatorReading> read_allocator() noexcept {
  const struct mallinfo2 info = ::mallinfo2();
  const std::uint64_t footprint = info.arena + info.hblkhd;
  if (footprint == 0) {
    return std::nullopt;
  }
  return AllocatorReading{.footprint_bytes = footprint, .in_use_bytes = info.uordblks + info.hblkhd};
}

ProcessSensor::ProcessSensor(const std::string& system_root)
    : resident_(
          resident_size_sensor(system_root).value_or(MemorySensor([] { return std::optional<std::uint64_t>(); }))),
      cgroup_files_(find_cgroup_files(system_root)) {
  if (const auto limit = detect_memory_limit({.system_root = system_root}).hard) {
    cgroup_limit_bytes_ = limit->bytes;
  }
}

ProcessReadings ProcessSensor::read() const {
  const MemorySensor::Reading resident = resident_();
  return {.resident_bytes = resident ? std::optional(*resident) : std::nullopt,
          .cgroup = read_cgroup(),
          .cgroup_limit_bytes = cgroup_limit_bytes_,
          .cpu_time_nanos = read_cpu_time()};
}

// The first hierarchy that shows the process's own group with its usage; the root group of version 2 has none.
std::optional<ProcessSensor::CgroupFiles> ProcessSensor::find_cgroup_files(const std::string& system_root) {
  const auto groups = read_text_file(system_root + "/proc/self/cgroup", kMaxFileBytes);
  const auto mountinfo = read_text_file(system_root + "/proc/self/mountinfo", kMaxFileBytes);
  if (!groups || !mountinfo) {
    return std::nullopt;
  }
  const CgroupMembership membership = parse_cgroup_membership(*groups);
  for (const CgroupMount& mount : parse_cgroup_mounts(*mountinfo)) {
    const bool unified = mount.version == CgroupVersion::V2;
    const auto& path = unified ? membership.unified_path : membership.memory_path;
    const auto directory = path ? cgroup_directory(mount, *path) : std::nullopt;
    if (!directory) {
      continue;
    }
    const std::string folder = system_root + *directory;
    CgroupFiles files{.usage = folder + (unified ? "/memory.current" : "/memory.usage_in_bytes"),
                      .statistics = folder + "/memory.stat",
                      .inactive_key = unified ? "inactive_file" : "total_inactive_file"};
    if (read_number(files.usage)) {
      return files;
    }
  }
  return std::nullopt;
}

std::optional<CgroupReading> ProcessSensor::read_cgroup() const {
  if (!cgroup_files_) {
    return std::nullopt;
  }
  const auto usage = read_number(cgroup_files_->usage);
  const auto statistics = read_text_file(cgroup_files_->statistics, kMaxFileBytes);
  const auto inactive_text =
      statistics ? find_cgroup_stat(*statistics, cgroup_files_->inactive_key) : std::optional<std::string_view>();
  const auto inactive = inactive_text ? parse_number(*inactive_text) : std::nullopt;
  if (!usage || !inactive) {
    return std::nullopt;
  }
  return CgroupReading{.usage_bytes = *usage, .working_set_bytes = *usage > *inactive ? *usage - *inactive : 0};
}

}  // namespace bursar
