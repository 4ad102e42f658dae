#include <bursar/limiter/detect_memory_limit.h>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <string>

#include "unit/limiter/temporary_folder.h"

namespace bursar {
namespace {

// A folder that imitates the /proc and /sys of some machine.
class DetectMemoryLimitTest : public ::testing::Test {
 protected:
  void groups(const std::string& text) { system_.write("/proc/self/cgroup", text); }
  void mounts(const std::string& text) { system_.write("/proc/self/mountinfo", text); }
  void file(const std::string& path, const std::string& text) { system_.write("/sys/fs/cgroup" + path, text); }
  [[nodiscard]] std::string path_of(const std::string& path) const { return system_.path() + "/sys/fs/cgroup" + path; }
  [[nodiscard]] DetectedMemoryLimit detect() const { return detect_memory_limit({.system_root = system_.path()}); }

  void expect_hard(const DetectedMemoryLimit& found, std::uint64_t bytes, const std::string& source) const {
    ASSERT_TRUE(found.hard);
    EXPECT_EQ(found.hard->bytes, bytes);
    EXPECT_EQ(found.hard->source, path_of(source));
  }
  static void expect_no_warnings(const DetectedMemoryLimit& found) {
    for (const std::string& warning : found.warnings) ADD_FAILURE() << warning;
  }

  static constexpr const char* kUnifiedMount = "29 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
  static constexpr const char* kHybridMounts =
      "31 23 0:28 / /sys/fs/cgroup ro - tmpfs tmpfs rw\n"
      "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
      "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";

  TemporaryFolder system_;
};

TEST_F(DetectMemoryLimitTest, TheLimitOfTheProcessesOwnGroupIsFound) {
  groups("0::/a\n");
  mounts(kUnifiedMount);
  file("/a/memory.max", "67108864\n");
  file("/a/memory.high", "max\n");
  const auto found = detect();
  expect_hard(found, 67108864, "/a/memory.max");
  EXPECT_FALSE(found.soft);
  expect_no_warnings(found);
}

TEST_F(DetectMemoryLimitTest, TheLowestLimitOfAllAncestorsCounts) {
  groups("0::/a/b/c\n");
  mounts(kUnifiedMount);
  file("/a/memory.max", "3000\n");
  file("/a/b/memory.max", "1000\n");
  file("/a/b/c/memory.max", "2000\n");
  expect_hard(detect(), 1000, "/a/b/memory.max");
}

TEST_F(DetectMemoryLimitTest, TheGroupOfALimitIsWhereItStands) {
  groups("0::/a/b\n");
  mounts(kUnifiedMount);
  file("/a/memory.max", "1000\n");
  file("/a/b/memory.max", "2000\n");
  file("/a/b/memory.current", "500\n");
  const auto found = detect();
  ASSERT_TRUE(found.hard);
  EXPECT_EQ(found.hard->group.directory, path_of("/a"));
  EXPECT_EQ(found.hard->group.version, CgroupVersion::V2);
  ASSERT_TRUE(found.own_group);
  EXPECT_EQ(found.own_group->directory, path_of("/a/b"));
  EXPECT_EQ(found.unified_directory, path_of("/a/b"));
}

TEST_F(DetectMemoryLimitTest, InAHybridTreeTheOwnGroupIsWhereMemoryIsCounted) {
  groups("4:memory:/a\n0::/u\n");
  mounts(kHybridMounts);
  file("/memory/a/memory.limit_in_bytes", "7000\n");
  file("/memory/a/memory.usage_in_bytes", "500\n");
  file("/unified/u/cgroup.procs", "");
  const auto found = detect();
  ASSERT_TRUE(found.own_group);
  EXPECT_EQ(found.own_group->directory, path_of("/memory/a"));
  EXPECT_EQ(found.own_group->version, CgroupVersion::V1);
  ASSERT_TRUE(found.hard);
  EXPECT_EQ(found.hard->group.version, CgroupVersion::V1);
  EXPECT_EQ(found.unified_directory, path_of("/unified/u"));
}

TEST_F(DetectMemoryLimitTest, OfALimitOutOfSightTheOwnGroupIsWhatCanBeSeen) {
  groups("4:memory:/a\n");
  mounts(kHybridMounts);
  file("/memory/a/memory.limit_in_bytes", "9223372036854771712\n");
  file("/memory/a/memory.stat", "hierarchical_memory_limit 3000\n");
  const auto found = detect();
  ASSERT_TRUE(found.hard);
  EXPECT_EQ(found.hard->group.directory, path_of("/memory/a"));
}

TEST_F(DetectMemoryLimitTest, OfEqualLimitsTheNearestIsNamed) {
  groups("0::/a/b\n");
  mounts(kUnifiedMount);
  file("/a/memory.max", "1000\n");
  file("/a/b/memory.max", "1000\n");
  expect_hard(detect(), 1000, "/a/b/memory.max");
}

TEST_F(DetectMemoryLimitTest, TheSoftLimitIsLookedForOnItsOwn) {
  groups("0::/a/b\n");
  mounts(kUnifiedMount);
  file("/a/memory.high", "800\n");
  file("/a/memory.max", "max\n");
  file("/a/b/memory.high", "max\n");
  file("/a/b/memory.max", "1000\n");
  const auto found = detect();
  expect_hard(found, 1000, "/a/b/memory.max");
  ASSERT_TRUE(found.soft);
  EXPECT_EQ(found.soft->bytes, 800u);
  EXPECT_EQ(found.soft->source, path_of("/a/memory.high"));
}

TEST_F(DetectMemoryLimitTest, MaxEverywhereIsNoLimit) {
  groups("0::/a\n");
  mounts(kUnifiedMount);
  file("/a/memory.max", "max\n");
  const auto found = detect();
  EXPECT_FALSE(found.hard);
  expect_no_warnings(found);
}

TEST_F(DetectMemoryLimitTest, AContainerWithANamespaceOfItsOwnSeesItsLimitAtTheRoot) {
  groups("0::/\n");
  mounts(kUnifiedMount);
  file("/memory.max", "5000\n");
  expect_hard(detect(), 5000, "/memory.max");
}

TEST_F(DetectMemoryLimitTest, AContainerWithoutANamespaceIsFoundThroughTheMountsRoot) {
  groups("4:memory:/docker/1/nested\n");
  mounts("35 31 0:32 /docker/1 /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n");
  file("/memory/memory.limit_in_bytes", "4000\n");
  file("/memory/nested/memory.limit_in_bytes", "9223372036854771712\n");
  const auto found = detect();
  expect_hard(found, 4000, "/memory/memory.limit_in_bytes");
  expect_no_warnings(found);
}

TEST_F(DetectMemoryLimitTest, InAHybridTreeTheHierarchyWithTheControllerIsFound) {
  groups("4:memory:/a\n0::/u\n");
  mounts(kHybridMounts);
  file("/memory/memory.limit_in_bytes", "9223372036854771712\n");
  file("/memory/a/memory.limit_in_bytes", "7000\n");
  file("/unified/u/cgroup.procs", "");
  const auto found = detect();
  expect_hard(found, 7000, "/memory/a/memory.limit_in_bytes");
  expect_no_warnings(found);
}

TEST_F(DetectMemoryLimitTest, TheLowerOfBothHierarchiesCounts) {
  groups("4:memory:/a\n0::/u\n");
  mounts(kHybridMounts);
  file("/memory/a/memory.limit_in_bytes", "7000\n");
  file("/unified/u/memory.max", "6000\n");
  expect_hard(detect(), 6000, "/unified/u/memory.max");
}

TEST_F(DetectMemoryLimitTest, VersionOneTellsOfAncestorsOutOfSight) {
  groups("4:memory:/docker/1\n");
  mounts("35 31 0:32 /docker/1 /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n");
  file("/memory/memory.limit_in_bytes", "4000\n");
  file("/memory/memory.stat", "cache 1\nhierarchical_memory_limit 3000\n");
  expect_hard(detect(), 3000, "/memory/memory.stat (hierarchical_memory_limit)");
}

TEST_F(DetectMemoryLimitTest, AnAncestorInSightIsNamedByItsOwnFile) {
  groups("4:memory:/a/b\n");
  mounts(kHybridMounts);
  file("/memory/a/memory.limit_in_bytes", "3000\n");
  file("/memory/a/b/memory.limit_in_bytes", "4000\n");
  file("/memory/a/b/memory.stat", "hierarchical_memory_limit 3000\n");
  expect_hard(detect(), 3000, "/memory/a/memory.limit_in_bytes");
}

TEST_F(DetectMemoryLimitTest, EveryMountOfTheHierarchyIsUsed) {
  groups("0::/a/b\n");
  mounts(std::string(kUnifiedMount) + "30 23 0:26 /a /sys/fs/cgroup/elsewhere rw - cgroup2 cgroup2 rw\n");
  file("/a/b/memory.max", "2000\n");
  file("/elsewhere/b/memory.max", "1500\n");
  expect_hard(detect(), 1500, "/elsewhere/b/memory.max");
}

TEST_F(DetectMemoryLimitTest, GarbageIsAWarningAndTheOtherLimitsStillCount) {
  groups("0::/a/b\n");
  mounts(kUnifiedMount);
  file("/a/memory.max", "1000\n");
  file("/a/b/memory.max", "lots\n");
  const auto found = detect();
  expect_hard(found, 1000, "/a/memory.max");
  ASSERT_EQ(found.warnings.size(), 1u);
  EXPECT_EQ(found.warnings[0],
            path_of("/a/b/memory.max") +
                " is not understood: \"lots\" is no memory limit; it should be a number of bytes or max");
}

TEST_F(DetectMemoryLimitTest, AFileThatCannotBeReadIsAWarning) {
  groups("0::/a\n");
  mounts(kUnifiedMount);
  file("/a/memory.max/in-its-place-a-folder", "");
  const auto found = detect();
  EXPECT_FALSE(found.hard);
  ASSERT_EQ(found.warnings.size(), 1u);
  EXPECT_EQ(found.warnings[0], path_of("/a/memory.max") + " cannot be read: Is a directory");
}

TEST_F(DetectMemoryLimitTest, AFileThatMayNotBeReadIsAWarning) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may read everything";
  groups("0::/a\n");
  mounts(kUnifiedMount);
  file("/a/memory.max", "1000\n");
  ASSERT_EQ(::chmod(path_of("/a/memory.max").c_str(), 0), 0);
  const auto found = detect();
  ASSERT_EQ(found.warnings.size(), 1u);
  EXPECT_EQ(found.warnings[0], path_of("/a/memory.max") + " cannot be read: Permission denied");
}

TEST_F(DetectMemoryLimitTest, WithoutProcThereIsNoLimitButAWarningForEachFile) {
  const auto found = detect();
  EXPECT_FALSE(found.hard);
  ASSERT_EQ(found.warnings.size(), 2u);
  EXPECT_EQ(found.warnings[0], system_.path() + "/proc/self/cgroup cannot be read: No such file or directory");
  EXPECT_EQ(found.warnings[1], system_.path() + "/proc/self/mountinfo cannot be read: No such file or directory");
}

TEST_F(DetectMemoryLimitTest, AMembershipThatIsNotUnderstoodIsAWarning) {
  groups("nonsense\n");
  mounts(kUnifiedMount);
  const auto found = detect();
  ASSERT_EQ(found.warnings.size(), 1u);
  EXPECT_EQ(found.warnings[0],
            system_.path() + "/proc/self/cgroup names no control group; its lines should be ID:CONTROLLERS:/PATH");
}

TEST_F(DetectMemoryLimitTest, AGroupThatNoMountShowsIsAWarning) {
  groups("0::/../elsewhere\n");
  mounts(kUnifiedMount);
  const auto found = detect();
  EXPECT_FALSE(found.hard);
  ASSERT_EQ(found.warnings.size(), 1u);
  EXPECT_EQ(found.warnings[0],
            system_.path() + "/proc/self/cgroup names /../elsewhere, which no mounted control group contains");
}

TEST_F(DetectMemoryLimitTest, AGroupThatHasVanishedIsAWarningAndItsAncestorsStillCount) {
  groups("0::/a/gone\n");
  mounts(kUnifiedMount);
  file("/a/memory.max", "1000\n");
  const auto found = detect();
  expect_hard(found, 1000, "/a/memory.max");
  ASSERT_EQ(found.warnings.size(), 1u);
  EXPECT_EQ(found.warnings[0],
            path_of("/a/gone") + " does not exist, though the process's control group should be there");
}

TEST_F(DetectMemoryLimitTest, AMachineWithoutControlGroupsHasNoLimit) {
  groups("0::/\n");
  mounts("23 1 0:1 / / rw - ext4 /dev/vda rw\n");
  const auto found = detect();
  EXPECT_FALSE(found.hard);
  expect_no_warnings(found);
}

}  // namespace
}  // namespace bursar
