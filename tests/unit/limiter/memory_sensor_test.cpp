#include <bursar/limiter/memory_sensor.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <system_error>

#include "unit/limiter/temporary_folder.h"

namespace bursar {
namespace {

TEST(StatmTest, TheSecondNumberIsTheResidentPages) {
  EXPECT_EQ(parse_statm_resident_pages("765 432 404 5 0 123 0\n"), 432u);
  EXPECT_EQ(parse_statm_resident_pages("1 18446744073709551615 0"), 18446744073709551615u);
}

TEST(StatmTest, AnotherFormIsNoFigure) {
  for (const char* text : {"", "\n", "765", "765 ", "765 432", "765 432x 1", "765 -1 4", "x 432 404", " 765 432 404",
                           "765  432 404", "765 18446744073709551616 404"}) {
    EXPECT_EQ(parse_statm_resident_pages(text), std::nullopt) << text;
  }
}

RC_GTEST_PROP(StatmLaws, AnyTextIsRead, (std::string text)) {
  static_cast<void>(parse_statm_resident_pages(text));
}

RC_GTEST_PROP(StatmLaws, AnyNumbersAreReadBack, (std::uint64_t total, std::uint64_t resident)) {
  RC_ASSERT(parse_statm_resident_pages(std::to_string(total) + " " + std::to_string(resident) + " 0\n") == resident);
}

TEST(MemorySensorTest, AnyCallableThatGivesBytesIsASensor) {
  const MemorySensor number([] { return std::uint64_t{1}; });
  const MemorySensor optional([] { return std::optional<std::uint64_t>(2); });
  const MemorySensor reading([]() -> MemorySensor::Reading { return 3; });
  EXPECT_EQ(number(), 1u);
  EXPECT_EQ(optional(), 2u);
  EXPECT_EQ(reading(), 3u);
}

TEST(MemorySensorTest, NothingIsAnError) {
  const MemorySensor sensor("the figure", [] { return std::optional<std::uint64_t>(); });
  EXPECT_EQ(sensor().error(), std::errc::resource_unavailable_try_again);
  EXPECT_EQ(sensor.name(), "the figure");
}

TEST(MemorySensorTest, OneOfNoCallableIsEmpty) {
  EXPECT_FALSE(MemorySensor());
  EXPECT_TRUE(MemorySensor([] { return std::uint64_t{1}; }));
}

TEST(ResidentSizeSensorTest, TouchedPagesAreSeen) {
  constexpr std::size_t kBytes = 64 << 20;
  const auto sensor = resident_size_sensor();
  ASSERT_TRUE(sensor) << sensor.error();
  const std::uint64_t before = (*sensor)().value();
  void* const pages = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(pages, MAP_FAILED);
  std::memset(pages, 1, kBytes);
  const std::uint64_t during = (*sensor)().value();
  ::munmap(pages, kBytes);
  const std::uint64_t after = (*sensor)().value();
  // The kernel's figure is a little coarse, and others of this process allocate too.
  EXPECT_GT(during, before + kBytes * 9 / 10);
  EXPECT_LT(after, during - kBytes * 9 / 10);
}

TEST(ResidentSizeSensorTest, PagesBecomeBytes) {
  const TemporaryFolder system;
  system.write("/proc/self/statm", "10 7 3 1 0 1 0\n");
  const auto sensor = resident_size_sensor(system.path());
  ASSERT_TRUE(sensor) << sensor.error();
  EXPECT_EQ((*sensor)(), 7 * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)));
}

TEST(ResidentSizeSensorTest, AFileThatTurnsToGarbageIsNoFigure) {
  const TemporaryFolder system;
  system.write("/proc/self/statm", "10 7 3 1 0 1 0\n");
  const auto sensor = resident_size_sensor(system.path());
  ASSERT_TRUE(sensor) << sensor.error();
  system.write("/proc/self/statm", "garbage\n");
  EXPECT_EQ((*sensor)().error(), std::errc::bad_message);
  system.write("/proc/self/statm", "10 18446744073709551615 3 1 0 1 0\n");
  EXPECT_EQ((*sensor)().error(), std::errc::bad_message);
  system.write("/proc/self/statm", std::string(5000, '1'));
  EXPECT_EQ((*sensor)().error(), std::errc::file_too_large);
}

TEST(ResidentSizeSensorTest, AMissingFileIsAnErrorWithItsName) {
  const TemporaryFolder system;
  EXPECT_EQ(resident_size_sensor(system.path()).error(),
            "cannot open " + system.path() + "/proc/self/statm: No such file or directory");
}

TEST(ResidentSizeSensorTest, AFolderInItsPlaceIsAnErrorWithItsName) {
  const TemporaryFolder system;
  system.write("/proc/self/statm/file", "");
  EXPECT_EQ(resident_size_sensor(system.path()).error(),
            "cannot read " + system.path() + "/proc/self/statm: Is a directory");
}

TEST(ResidentSizeSensorTest, GarbageIsAnErrorThatQuotesIt) {
  const TemporaryFolder system;
  system.write("/proc/self/statm", "12 pages\n");
  EXPECT_EQ(resident_size_sensor(system.path()).error(),
            system.path() + "/proc/self/statm holds \"12 pages\\x0a\"; its second number should be the resident pages");
}

}  // namespace
}  // namespace bursar
