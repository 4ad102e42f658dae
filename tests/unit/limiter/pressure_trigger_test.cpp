#include <bursar/limiter/memory_limiter.h>
#include <bursar/limiter/pressure_trigger.h>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "unit/limiter/temporary_folder.h"

namespace bursar {
namespace {

std::string text_of(const std::string& file) {
  std::string text;
  std::getline(std::ifstream(file), text, '\0');
  return text;
}

TEST(PressureTriggerTest, TheTriggerIsWrittenIntoTheMachinesFile) {
  const TemporaryFolder system;
  system.write("/proc/pressure/memory", "");
  ASSERT_TRUE(PressureTrigger::open(system.path()));
  EXPECT_EQ(text_of(system.path() + "/proc/pressure/memory"), "some 50000 2000000");
}

TEST(PressureTriggerTest, TheProcessesOwnGroupComesFirst) {
  const TemporaryFolder system;
  system.write("/proc/self/cgroup", "0::/a\n");
  system.write("/proc/self/mountinfo", "29 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
  system.write("/proc/pressure/memory", "");
  system.write("/sys/fs/cgroup/a/memory.pressure", "");
  ASSERT_TRUE(PressureTrigger::open(system.path()));
  EXPECT_EQ(text_of(system.path() + "/sys/fs/cgroup/a/memory.pressure"), "some 50000 2000000");
  EXPECT_EQ(text_of(system.path() + "/proc/pressure/memory"), "");
}

TEST(PressureTriggerTest, AKernelWithoutPressureStallInformationIsAnErrorWithTheFilesName) {
  const TemporaryFolder system;
  EXPECT_EQ(PressureTrigger::open(system.path()).error(),
            "cannot open " + system.path() + "/proc/pressure/memory: No such file or directory");
}

TEST(PressureTriggerHereTest, ThisMachinesKernelTakesTheTrigger) {
  if (!std::filesystem::exists("/proc/pressure/memory")) GTEST_SKIP() << "no pressure stall information here";
  if (::access("/proc/pressure/memory", W_OK) != 0) GTEST_SKIP() << "this user may not set a trigger";
  const auto trigger = PressureTrigger::open();
  ASSERT_TRUE(trigger) << trigger.error();
  pollfd source{.fd = trigger->descriptor(), .events = POLLPRI, .revents = 0};
  ASSERT_GE(::poll(&source, 1, 0), 0);
  EXPECT_EQ(source.revents & (POLLERR | POLLNVAL), 0);
}

// A limiter that listens to one end of a pair of sockets, where data out of band stands for the kernel's word.
class StallTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0 || ::send(ends[1], "x", 1, MSG_OOB) != 1) {
      GTEST_SKIP() << "this kernel has no data out of band on local sockets";
    }
    char byte = 0;
    ASSERT_EQ(::recv(ends[0], &byte, 1, MSG_OOB), 1);
  }
  void TearDown() override { ::close(ends[1]); }

  // An hour passes between two looks of its own.
  [[nodiscard]] MemoryLimiter listening() {
    MemoryLimiterOptions options;
    options.usage_sensors = {[this] {
      readings.fetch_add(1);
      readings.notify_all();
      return std::uint64_t{1};
    }};
    options.slow_interval = std::chrono::hours(1);
    options.stall_trigger = std::make_shared<const PressureTrigger>(PressureTrigger::adopt(std::exchange(ends[0], -1)));
    return MemoryLimiter::create(MemoryGrant::effective(1000).value(), std::move(options)).value();
  }
  void await_readings(std::uint64_t count) {
    for (std::uint64_t now = readings.load(); now < count; now = readings.load()) readings.wait(now);
  }
  static std::uint64_t count(const MemoryLimiter& limiter, LimiterEventKind kind) {
    return static_cast<std::uint64_t>(std::ranges::count(limiter.events(), kind, &LimiterEvent::kind));
  }

  int ends[2] = {-1, -1};
  std::atomic<std::uint64_t> readings{0};
};

TEST_F(StallTest, TheKernelsWordMakesForAnExtraLook) {
  const MemoryLimiter limiter = listening();
  await_readings(2);  // of create() and of the thread, which then sleeps for an hour
  ASSERT_EQ(::send(ends[1], "x", 1, MSG_OOB), 1);
  await_readings(3);
  EXPECT_GE(count(limiter, LimiterEventKind::MemoryStall), 1u);
}

TEST_F(StallTest, ATriggerThatEndsIsNotedOnceAndLeftAlone) {
  const MemoryLimiter limiter = listening();
  await_readings(2);
  ::shutdown(ends[1], SHUT_RDWR);  // says POLLHUP for ever
  await_readings(3);
  while (count(limiter, LimiterEventKind::Notice) == 0) std::this_thread::yield();
  const std::uint64_t before = readings.load();
  for (int i = 0; i < 1000; ++i) std::this_thread::yield();
  EXPECT_LE(readings.load(), before + 1);
  EXPECT_EQ(count(limiter, LimiterEventKind::Notice), 1u);
}

TEST(NoStallTest, ALimiterDoesWithoutTheKernelsWordAndSaysSo) {
  const TemporaryFolder system;
  MemoryLimiterOptions options;
  options.usage_sensors = {[] { return std::uint64_t{1}; }};
  options.system_root = system.path();
  const auto limiter = MemoryLimiter::create(MemoryGrant::effective(1000).value(), std::move(options));
  ASSERT_TRUE(limiter) << limiter.error().message();
  ASSERT_EQ(limiter->events().size(), 1u);
  EXPECT_EQ(describe(limiter->events().front()), "no word of memory stalls from the kernel: cannot open " +
                                                     system.path() +
                                                     "/proc/pressure/memory: No such file or directory");
}

}  // namespace
}  // namespace bursar
