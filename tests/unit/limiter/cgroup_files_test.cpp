#include <bursar/limiter/cgroup_files.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdint>
#include <optional>
#include <string>

namespace bursar {
namespace {

TEST(CgroupMembershipTest, TheUnifiedHierarchyIsNumberZero) {
  const auto membership = parse_cgroup_membership("0::/user.slice/session-1.scope\n");
  EXPECT_EQ(membership.unified_path, "/user.slice/session-1.scope");
  EXPECT_EQ(membership.memory_path, std::nullopt);
}

TEST(CgroupMembershipTest, TheMemoryControllerIsFoundAmongOthers) {
  const auto membership = parse_cgroup_membership("7:cpu,cpuacct:/c\n5:hugetlb,memory,pids:/m\n1:name=systemd:/s\n");
  EXPECT_EQ(membership.unified_path, std::nullopt);
  EXPECT_EQ(membership.memory_path, "/m");
}

TEST(CgroupMembershipTest, BothVersionsAreFoundSideBySide) {
  const auto membership = parse_cgroup_membership("4:memory:/m\n0::/u\n");
  EXPECT_EQ(membership.unified_path, "/u");
  EXPECT_EQ(membership.memory_path, "/m");
}

TEST(CgroupMembershipTest, APathMayHoldColons) {
  EXPECT_EQ(parse_cgroup_membership("0::/cri:containerd:1\n").unified_path, "/cri:containerd:1");
}

TEST(CgroupMembershipTest, AControllerOfASimilarNameIsAnother) {
  EXPECT_EQ(parse_cgroup_membership("4:memory2,xmemory:/m\n").memory_path, std::nullopt);
}

TEST(CgroupMembershipTest, LinesWithoutTheFormAreLeftOut) {
  const auto membership = parse_cgroup_membership("\n0\n0:\n0::\n0::relative\n::/x\nmemory\n");
  EXPECT_EQ(membership.unified_path, std::nullopt);
  EXPECT_EQ(membership.memory_path, std::nullopt);
}

TEST(CgroupMountsTest, BothVersionsAreFoundAmongOtherMounts) {
  const auto mounts = parse_cgroup_mounts(
      "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
      "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
      "35 31 0:32 /docker/1 /sys/fs/cgroup/memory rw shared:9 master:1 - cgroup cgroup rw,memory\n"
      "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
  ASSERT_EQ(mounts.size(), 2u);
  EXPECT_EQ(mounts[0].version, CgroupVersion::V1);
  EXPECT_EQ(mounts[0].root, "/docker/1");
  EXPECT_EQ(mounts[0].mount_point, "/sys/fs/cgroup/memory");
  EXPECT_EQ(mounts[1].version, CgroupVersion::V2);
  EXPECT_EQ(mounts[1].root, "/");
  EXPECT_EQ(mounts[1].mount_point, "/sys/fs/cgroup/unified");
}

TEST(CgroupMountsTest, EscapedCharactersAreReadAsWhatTheyStandFor) {
  const auto mounts = parse_cgroup_mounts("1 2 0:3 /a\\134b /with\\040space\\777\\04 rw - cgroup2 none rw\n");
  ASSERT_EQ(mounts.size(), 1u);
  EXPECT_EQ(mounts[0].root, "/a\\b");
  EXPECT_EQ(mounts[0].mount_point, "/with space\\777\\04");
}

TEST(CgroupMountsTest, LinesWithoutTheFormAreLeftOut) {
  EXPECT_TRUE(
      parse_cgroup_mounts("\n1 2 3\n1 2 0:3 / /x rw cgroup2 none rw\n1 2 0:3 x /y rw - cgroup2 none rw\n").empty());
}

std::optional<std::uint64_t> limit_of(const std::string& text) {
  return parse_cgroup_limit(text).value();
}

TEST(CgroupLimitTest, ANumberIsALimit) {
  EXPECT_EQ(limit_of("67108864\n"), 67108864u);
  EXPECT_EQ(limit_of("0"), 0u);
}

TEST(CgroupLimitTest, MaxIsNoLimit) {
  EXPECT_EQ(limit_of("max\n"), std::nullopt);
}

TEST(CgroupLimitTest, WhatVersionOneCallsUnlimitedIsNoLimit) {
  EXPECT_EQ(limit_of("9223372036854771712\n"), std::nullopt);  // 4 KiB pages
  EXPECT_EQ(limit_of("9223372036854710272\n"), std::nullopt);  // 64 KiB pages
  EXPECT_EQ(limit_of("18446744073709551615\n"), std::nullopt);
}

TEST(CgroupLimitTest, JunkIsAnErrorThatQuotesIt) {
  EXPECT_EQ(parse_cgroup_limit("12 MB\n").error(),
            "\"12 MB\" is no memory limit; it should be a number of bytes or max");
  for (const char* text : {"", "\n", "-1", "+1", "0x10", "1e9", "18446744073709551616", "MAX", "max max"}) {
    EXPECT_FALSE(parse_cgroup_limit(text)) << text;
  }
}

TEST(CgroupStatTest, TheLineOfTheKeyIsFound) {
  const std::string text = "cache 1\nhierarchical_memory_limit 77\ntotal_cache 2\n";
  EXPECT_EQ(find_cgroup_stat(text, "hierarchical_memory_limit"), "77");
  EXPECT_EQ(find_cgroup_stat(text, "cache"), "1");
  EXPECT_EQ(find_cgroup_stat(text, "hierarchical"), std::nullopt);
  EXPECT_EQ(find_cgroup_stat("", "cache"), std::nullopt);
}

std::optional<std::string> directory(const char* root, const char* path) {
  return cgroup_directory({.version = CgroupVersion::V2, .root = root, .mount_point = "/cg"}, path);
}

TEST(CgroupDirectoryTest, BelowAMountOfTheWholeHierarchyLiesThePath) {
  EXPECT_EQ(directory("/", "/a/b"), "/cg/a/b");
  EXPECT_EQ(directory("/", "/"), "/cg");
}

TEST(CgroupDirectoryTest, WhatIsMountedIsCutOffThePath) {
  EXPECT_EQ(directory("/docker/1", "/docker/1/init"), "/cg/init");
  EXPECT_EQ(directory("/docker/1", "/docker/1"), "/cg");
}

TEST(CgroupDirectoryTest, AGroupBesideWhatIsMountedIsNotShown) {
  EXPECT_EQ(directory("/docker/1", "/docker/12"), std::nullopt);
  EXPECT_EQ(directory("/docker/1", "/"), std::nullopt);
  EXPECT_EQ(directory("/docker/1", "/system.slice"), std::nullopt);
}

TEST(CgroupDirectoryTest, AMountFromOutsideTheNamespaceShowsAnAncestor) {
  EXPECT_EQ(directory("/..", "/a"), "/cg");
}

TEST(CgroupDirectoryTest, AGroupOutsideTheNamespaceIsNotShown) {
  EXPECT_EQ(directory("/", "/../other"), std::nullopt);
}

TEST(CgroupDirectoryTest, DotsInANameLeadNowhere) {
  EXPECT_EQ(directory("/", "/a..b/..c"), "/cg/a..b/..c");
}

RC_GTEST_PROP(CgroupFilesLaws, AnyTextIsRead, (std::string text)) {
  const auto membership = parse_cgroup_membership(text);
  const auto mounts = parse_cgroup_mounts("1 2 0:3 /" + text + " /x rw - cgroup2 none rw\n" + text);
  for (const CgroupMount& mount : mounts) {
    const auto shown = cgroup_directory(mount, membership.unified_path.value_or(text));
    if (shown) RC_ASSERT(shown->starts_with(mount.mount_point));
  }
  const auto limit = parse_cgroup_limit(text);
  if (!limit) RC_ASSERT(!limit.error().empty());
  static_cast<void>(find_cgroup_stat(text, "cache"));
}

RC_GTEST_PROP(CgroupFilesLaws, AnyLimitIsReadBack, ()) {
  const std::uint64_t bytes = *rc::gen::inRange<std::uint64_t>(0, std::uint64_t{1} << 62);
  RC_ASSERT(limit_of(std::to_string(bytes) + "\n") == bytes);
}

}  // namespace
}  // namespace bursar
