#include <bursar/report/process_readings.h>

#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace bursar {
namespace {

// A folder that imitates a machine, gone with the test.
class Machine {
 public:
  Machine() {
    std::string pattern = testing::TempDir() + "bursar-machine-XXXXXX";
    root_ = ::mkdtemp(pattern.data());
  }
  ~Machine() { std::filesystem::remove_all(root_); }
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  void write(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(root_ + path).parent_path());
    std::ofstream(root_ + path) << text;
  }
  [[nodiscard]] const std::string& root() const { return root_; }

 private:
  std::string root_;
};

constexpr const char* kMountV2 = "30 1 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw\n";
constexpr const char* kMountV1 = "31 1 0:27 / /sys/fs/cgroup/memory rw shared:5 - cgroup cgroup rw,memory\n";

TEST(ProcessReadings, ReadsTheWorkingSetOfACgroupOfVersion2) {
  const Machine machine;
  machine.write("/proc/self/cgroup", "0::/a/b\n");
  machine.write("/proc/self/mountinfo", kMountV2);
  machine.write("/sys/fs/cgroup/a/b/memory.current", "1000000\n");
  machine.write("/sys/fs/cgroup/a/b/memory.stat", "anon 1\ninactive_file 300000\nactive_file 5\n");
  machine.write("/sys/fs/cgroup/a/b/memory.max", "max\n");
  machine.write("/sys/fs/cgroup/a/memory.max", "2000000\n");
  const auto readings = ProcessSensor(machine.root()).read();
  ASSERT_TRUE(readings.cgroup.has_value());
  EXPECT_EQ(readings.cgroup->usage_bytes, 1'000'000U);
  EXPECT_EQ(readings.cgroup->working_set_bytes, 700'000U);
  EXPECT_EQ(readings.cgroup_limit_bytes, 2'000'000U);
}

TEST(ProcessReadings, ReadsTheWorkingSetOfACgroupOfVersion1) {
  const Machine machine;
  machine.write("/proc/self/cgroup", "7:memory:/a\n0::/\n");
  machine.write("/proc/self/mountinfo", kMountV1);
  machine.write("/sys/fs/cgroup/memory/a/memory.usage_in_bytes", "5000\n");
  machine.write("/sys/fs/cgroup/memory/a/memory.stat", "inactive_file 1\ntotal_inactive_file 2000\n");
  const auto readings = ProcessSensor(machine.root()).read();
  ASSERT_TRUE(readings.cgroup.has_value());
  EXPECT_EQ(readings.cgroup->usage_bytes, 5000U);
  EXPECT_EQ(readings.cgroup->working_set_bytes, 3000U);
}

TEST(ProcessReadings, ReadsTheFilesAnewEachTime) {
  const Machine machine;
  machine.write("/proc/self/cgroup", "0::/a\n");
  machine.write("/proc/self/mountinfo", kMountV2);
  machine.write("/sys/fs/cgroup/a/memory.current", "1000\n");
  machine.write("/sys/fs/cgroup/a/memory.stat", "inactive_file 0\n");
  const ProcessSensor sensor(machine.root());
  EXPECT_EQ(sensor.read().cgroup->usage_bytes, 1000U);
  machine.write("/sys/fs/cgroup/a/memory.current", "1500\n");
  EXPECT_EQ(sensor.read().cgroup->usage_bytes, 1500U);
}

TEST(ProcessReadings, TheWorkingSetIsNeverNegative) {
  const Machine machine;
  machine.write("/proc/self/cgroup", "0::/a\n");
  machine.write("/proc/self/mountinfo", kMountV2);
  machine.write("/sys/fs/cgroup/a/memory.current", "1000\n");
  machine.write("/sys/fs/cgroup/a/memory.stat", "inactive_file 1200\n");
  EXPECT_EQ(ProcessSensor(machine.root()).read().cgroup->working_set_bytes, 0U);
}

TEST(ProcessReadings, WhatCannotBeReadIsNothing) {
  const Machine machine;
  const auto readings = ProcessSensor(machine.root()).read();
  EXPECT_FALSE(readings.resident_bytes.has_value());
  EXPECT_FALSE(readings.cgroup.has_value());
  EXPECT_FALSE(readings.cgroup_limit_bytes.has_value());
}

TEST(ProcessReadings, GarbageIsNothing) {
  const Machine machine;
  machine.write("/proc/self/cgroup", "0::/a\n");
  machine.write("/proc/self/mountinfo", kMountV2);
  machine.write("/sys/fs/cgroup/a/memory.current", "1000\n");
  machine.write("/sys/fs/cgroup/a/memory.stat", "inactive_file many\n");
  EXPECT_FALSE(ProcessSensor(machine.root()).read().cgroup.has_value());
}

TEST(ProcessReadings, TheRealResidentSizeGrowsWithWhatIsTouched) {
  constexpr std::size_t kBytes = 32 * 1024 * 1024;
  const ProcessSensor sensor;
  const auto before = sensor.read();
  const std::vector<char> touched(kBytes, 1);
  const auto after = sensor.read();
  ASSERT_TRUE(before.resident_bytes && after.resident_bytes);
  EXPECT_GE(*after.resident_bytes, *before.resident_bytes + kBytes / 2);
  EXPECT_EQ(touched.back(), 1);
}

TEST(ProcessReadings, TheRealCpuTimeNeverFalls) {
  const ProcessSensor sensor;
  const auto before = sensor.read();
  const auto after = sensor.read();
  ASSERT_TRUE(before.cpu_time_nanos && after.cpu_time_nanos);
  EXPECT_GT(*after.cpu_time_nanos, *before.cpu_time_nanos);
}

TEST(ProcessReadings, TheAllocatorHoldsAtLeastWhatIsInUse) {
  const auto block = std::make_unique<char[]>(8 * 1024 * 1024);
  const auto allocator = read_allocator();
  if (!allocator) {
    GTEST_SKIP() << "the C library's allocator is not in use here";
  }
  EXPECT_GE(allocator->in_use_bytes, 8U * 1024 * 1024);
  EXPECT_GE(allocator->footprint_bytes, allocator->in_use_bytes);
  EXPECT_EQ(block[0], 0);
}

}  // namespace
}  // namespace bursar
