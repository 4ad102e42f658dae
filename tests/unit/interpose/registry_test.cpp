// One registry and one ledger in a process, however many of its libraries contain Bursar, and whoever compiled them.

#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

#include "unit/interpose/program_outcome.h"

namespace bursar {
namespace {

using testing::run;

const std::string kOwnPlugins = BURSAR_PLUGIN_A " " BURSAR_PLUGIN_B;
// Where both compilers are there, one is the other's.
const std::string kAllPlugins = kOwnPlugins + " " BURSAR_PLUGIN_OTHER;
const std::string kPreload = "LD_PRELOAD=" BURSAR_PRELOAD " ";

TEST(OneRegistry, OfAProgramWithBursarAndItsPlugins) {
  EXPECT_EQ(run(BURSAR_REGISTRY_HOST " " + kAllPlugins).output, "one registry, not tracked\n");
  EXPECT_EQ(run(BURSAR_REGISTRY_HOST " " BURSAR_PLUGIN_OTHER " " + kOwnPlugins).output, "one registry, not tracked\n");
}

TEST(OneRegistry, OfAProgramWithItsMallocTrackedAndItsPlugins) {
  EXPECT_EQ(run(BURSAR_REGISTRY_TRACKED_HOST " " + kAllPlugins).output, "one registry, tracked\n");
}

TEST(OneRegistry, OfAProgramWithBursarUnderThePreloadLibraryAndItsPlugins) {
  EXPECT_EQ(run(kPreload + BURSAR_REGISTRY_HOST " " + kAllPlugins).output, "one registry, tracked\n");
  EXPECT_EQ(run(kPreload + BURSAR_REGISTRY_TRACKED_HOST " " + kAllPlugins).output, "one registry, tracked\n");
}

TEST(OneRegistry, OfAProgramWithoutBursarUnderThePreloadLibrary) {
  EXPECT_EQ(run(kPreload + BURSAR_REGISTRY_STRANGER " " + kAllPlugins).output, "one registry, tracked\n");
}

TEST(OneRegistry, OfPluginsAloneWhereGccCompiledThem) {
  if (!BURSAR_OWN_IS_GCC) GTEST_SKIP() << "libraries that Clang compiled share through the executable only";
  EXPECT_EQ(run(BURSAR_REGISTRY_STRANGER " " + kOwnPlugins).output, "one registry, not tracked\n");
}

}  // namespace
}  // namespace bursar
