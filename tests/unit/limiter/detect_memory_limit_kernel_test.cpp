#include <bursar/base/file_reader.h>
#include <bursar/limiter/cgroup_files.h>
#include <bursar/limiter/cgroup_sensor.h>
#include <bursar/limiter/detect_memory_limit.h>

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <functional>
#include <optional>
#include <string>

namespace bursar {
namespace {

// Where a control group with a memory limit can be made below this process's own: only in version 1, where a group may
// hold processes and groups at once.
std::optional<std::string> own_memory_group() {
  const auto membership = parse_cgroup_membership(read_text_file("/proc/self/cgroup", 1 << 20).value_or(""));
  if (!membership.memory_path) return std::nullopt;
  for (const CgroupMount& mount : parse_cgroup_mounts(read_text_file("/proc/self/mountinfo", 1 << 24).value_or(""))) {
    if (mount.version != CgroupVersion::V1) continue;
    if (auto directory = cgroup_directory(mount, *membership.memory_path)) return directory;
  }
  return std::nullopt;
}

bool write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text << std::flush;
  return file.good();
}

// Two real groups, one in the other, the outer one with a limit of 64 MiB.
class KernelLimitTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto own = own_memory_group();
    if (!own) GTEST_SKIP() << "no control group of version 1 with the memory controller is mounted here";
    outer_ = *own + "/bursar-test-" + std::to_string(::getpid());
    inner_ = outer_ + "/inner";
    if (::mkdir(outer_.c_str(), 0755) != 0) GTEST_SKIP() << "no group can be made in " << *own << ": not root?";
    ASSERT_EQ(::mkdir(inner_.c_str(), 0755), 0);
    ASSERT_TRUE(write_file(outer_ + "/memory.limit_in_bytes", "67108864"));
  }
  void TearDown() override {
    if (!inner_.empty()) ::rmdir(inner_.c_str());
    if (!outer_.empty()) ::rmdir(outer_.c_str());
  }

  // What a child process that has entered the inner group detects, as "BYTES SOURCE".
  std::string detected_inside() const {
    return answer_inside([] {
      const DetectedMemoryLimit found = detect_memory_limit();
      std::string answer = found.hard ? std::to_string(found.hard->bytes) + " " + found.hard->source : "no limit";
      for (const std::string& warning : found.warnings) answer += "\n" + warning;
      return answer;
    });
  }

  // What a child process answers that has entered the inner group.
  std::string answer_inside(const std::function<std::string()>& question) const {
    int ends[2];
    if (::pipe(ends) != 0) return "no pipe";
    const pid_t child = ::fork();
    if (child == 0) {
      std::string answer = "the group cannot be entered";
      if (write_file(inner_ + "/cgroup.procs", std::to_string(::getpid()))) {
        answer = question();
      }
      const bool written = ::write(ends[1], answer.data(), answer.size()) == static_cast<ssize_t>(answer.size());
      ::_exit(written ? 0 : 1);
    }
    ::close(ends[1]);
    std::string answer;
    char buffer[512];
    for (ssize_t count = 0; (count = ::read(ends[0], buffer, sizeof buffer)) > 0;) {
      answer.append(buffer, static_cast<std::size_t>(count));
    }
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    return answer;
  }

  std::string outer_;
  std::string inner_;
};

TEST_F(KernelLimitTest, TheLimitOfARealAncestorIsDetected) {
  EXPECT_EQ(detected_inside(), "67108864 " + outer_ + "/memory.limit_in_bytes");
}

TEST_F(KernelLimitTest, ALowerLimitOfTheRealGroupItselfIsDetected) {
  ASSERT_TRUE(write_file(inner_ + "/memory.limit_in_bytes", "33554432"));
  EXPECT_EQ(detected_inside(), "33554432 " + inner_ + "/memory.limit_in_bytes");
}

// By how much the usage that counts against the limit rises when a process in the inner group touches 16 MiB.
TEST_F(KernelLimitTest, TheWorkingSetOfTheRealAncestorIsWhatCountsAgainstItsLimit) {
  EXPECT_EQ(answer_inside([this]() -> std::string {
              const DetectedMemoryLimit found = detect_memory_limit();
              if (!found.hard || found.hard->group.directory != outer_) return "another group's limit";
              const auto sensor = cgroup_working_set_sensor(found.hard->group);
              if (!sensor) return sensor.error();
              constexpr std::size_t kBytes = 16 << 20;
              const std::uint64_t before = (*sensor)().value();
              // Touched by the kernel: a sanitizer touches more than is written.
              constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE;
              if (::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, kFlags, -1, 0) == MAP_FAILED) return "no memory";
              const std::uint64_t grown = (*sensor)().value() - before;
              // The kernel counts in batches of some pages a core.
              return grown > kBytes / 16 * 15 && grown < kBytes / 16 * 18 ? "16 MiB" : std::to_string(grown);
            }),
            "16 MiB");
}

TEST(DetectMemoryLimitHereTest, ThisMachinesFilesAreUnderstood) {
  for (const std::string& warning : detect_memory_limit().warnings) ADD_FAILURE() << warning;
}

}  // namespace
}  // namespace bursar
