#include <bursar/limiter/cgroup_sensor.h>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>

#include "unit/limiter/fake_clock.h"
#include "unit/limiter/temporary_folder.h"

namespace bursar {
namespace {

using std::chrono::milliseconds;

// A folder that imitates a control group of version 2.
class CgroupSensorTest : public ::testing::Test {
 protected:
  CgroupSensorTest() {
    usage("1000\n");
    stat("anon 700\ninactive_file 200\nactive_file 100\n");
  }

  void usage(const std::string& text) const { folder.write("/memory.current", text); }
  void stat(const std::string& text) const { folder.write("/memory.stat", text); }
  [[nodiscard]] CgroupPlace group() const { return {.version = CgroupVersion::V2, .directory = folder.path()}; }
  [[nodiscard]] MemorySensor sensor() { return cgroup_working_set_sensor(group(), clock).value(); }
  [[nodiscard]] std::string error() { return cgroup_working_set_sensor(group(), clock).error(); }

  TemporaryFolder folder;
  FakeClock clock;
};

TEST_F(CgroupSensorTest, TheWorkingSetIsTheUsageLessInactiveFilePages) {
  EXPECT_EQ(sensor()(), 800u);
}

TEST_F(CgroupSensorTest, OfVersionOneTheTotalsOfTheHierarchyCount) {
  folder.write("/memory.usage_in_bytes", "5000\n");
  stat("inactive_file 1\ntotal_inactive_file 600\n");
  EXPECT_EQ(cgroup_working_set_sensor({.version = CgroupVersion::V1, .directory = folder.path()}).value()(), 4400u);
}

TEST_F(CgroupSensorTest, TheUsageIsReadEachTime) {
  const MemorySensor working_set = sensor();
  ASSERT_EQ(working_set(), 800u);
  usage("1500\n");
  EXPECT_EQ(working_set(), 1300u);
}

TEST_F(CgroupSensorTest, InactiveFilePagesAreReadTwentyTimesASecond) {
  const MemorySensor working_set = sensor();
  ASSERT_EQ(working_set(), 800u);
  stat("inactive_file 0\n");
  clock.advance(milliseconds(49));
  EXPECT_EQ(working_set(), 800u);
  clock.advance(milliseconds(1));
  EXPECT_EQ(working_set(), 1000u);
}

TEST_F(CgroupSensorTest, MoreInactiveFilePagesThanUsageIsNoUsage) {
  stat("inactive_file 1001\n");
  EXPECT_EQ(sensor()(), 0u);
}

TEST_F(CgroupSensorTest, ItsNameIsThatOfTheGroup) {
  EXPECT_EQ(sensor().name(), "the working set of " + folder.path());
}

TEST_F(CgroupSensorTest, GarbageIsAnErrorOfTheReading) {
  const MemorySensor working_set = sensor();
  for (const char* text : {"", "max\n", "12x\n", "-1\n", "99999999999999999999\n"}) {
    usage(text);
    EXPECT_EQ(working_set().error(), std::errc::bad_message) << text;
  }
  usage("1000\n");
  EXPECT_EQ(working_set(), 800u);
}

TEST_F(CgroupSensorTest, AGroupThatVanishesIsAnErrorUntilItIsBack) {
  const MemorySensor working_set = sensor();
  ASSERT_EQ(working_set(), 800u);
  // A file that was removed stays readable for who has it open; the kernel says then that there is no such device.
  usage("");
  std::filesystem::remove(folder.path() + "/memory.current");
  EXPECT_EQ(working_set().error(), std::errc::bad_message);
  EXPECT_EQ(working_set().error(), std::errc::no_such_file_or_directory);
  usage("2000\n");
  EXPECT_EQ(working_set(), 1800u);
}

TEST_F(CgroupSensorTest, WithoutAUsageFileThereIsNoSensor) {
  std::filesystem::remove(folder.path() + "/memory.current");
  EXPECT_EQ(error(), "cannot read " + folder.path() + "/memory.current: No such file or directory");
}

TEST_F(CgroupSensorTest, WithoutAStatFileThereIsNoSensor) {
  std::filesystem::remove(folder.path() + "/memory.stat");
  EXPECT_EQ(error(), "cannot read " + folder.path() + "/memory.stat: No such file or directory");
}

TEST_F(CgroupSensorTest, FilesInAnotherFormAreErrorsThatSayWhatTheyShouldHold) {
  stat("anon 700\n");
  EXPECT_EQ(
      error(),
      folder.path() + "/memory.stat is not understood; it should hold a line of inactive_file and a number of bytes");
  usage("much\n");
  EXPECT_EQ(error(), folder.path() + "/memory.current is not understood; it should hold a number of bytes");
}

TEST(CgroupSensorHereTest, ThisMachinesOwnGroupHasAWorkingSet) {
  const auto group = detect_memory_limit().own_group;
  if (!group) GTEST_SKIP() << "no control group that counts memory is mounted here";
  const auto sensor = cgroup_working_set_sensor(*group);
  ASSERT_TRUE(sensor) << sensor.error();
  EXPECT_GT((*sensor)().value(), 0u);
}

}  // namespace
}  // namespace bursar
