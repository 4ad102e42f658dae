// Small programs of their own: with tracking switched off, without it, with operators replaced, and at their end.

#include <string>

#include <gtest/gtest.h>

#include "unit/interpose/program_outcome.h"

namespace {

using bursar::testing::run;

TEST(Tracking, IsInstalledWhereInterposeIsLinked) {
  EXPECT_EQ(run("env -u BURSAR_TRACKING " BURSAR_TRACKED_PROBE).output, "installed, counts, malloc works\n");
  EXPECT_EQ(run("BURSAR_TRACKING=on " BURSAR_TRACKED_PROBE).output, "installed, counts, malloc works\n");
}

TEST(Tracking, IsNotInstalledWhereInterposeIsNotLinked) {
  EXPECT_EQ(run(BURSAR_UNTRACKED_PROBE).output, "not installed, does not count, malloc works\n");
}

TEST(Tracking, SwitchedOffPassesThrough) {
  EXPECT_EQ(run("BURSAR_TRACKING=off " BURSAR_TRACKED_PROBE).output, "not installed, does not count, malloc works\n");
}

TEST(Tracking, WithAnUnknownSettingIsOnWithOneWarning) {
  EXPECT_EQ(run("BURSAR_TRACKING=perhaps " BURSAR_TRACKED_PROBE).output,
            "bursar: BURSAR_TRACKING is neither `on` nor `off`; allocations are tracked, as by default\n"
            "installed, counts, malloc works\n");
}

TEST(Tracking, SurvivesAnUpstreamThatAllocatesOnFirstUse) {
  const std::string preload = "LD_PRELOAD=" BURSAR_FAKE_UPSTREAM " ";
  EXPECT_EQ(run(preload + BURSAR_TRACKED_PROBE).output, "installed, counts, malloc works\n");
  EXPECT_EQ(run(preload + "BURSAR_TRACKING=off " BURSAR_TRACKED_PROBE).output,
            "not installed, does not count, malloc works\n");
  EXPECT_EQ(run("LD_PRELOAD=" BURSAR_PRELOAD ":" BURSAR_FAKE_UPSTREAM " " BURSAR_UNTRACKED_PROBE).output,
            "installed, counts, malloc works\n");
}

TEST(Tracking, IsInstalledByThePreloadLibraryAlone) {
  EXPECT_EQ(run("LD_PRELOAD=" BURSAR_PRELOAD " " BURSAR_UNTRACKED_PROBE).output, "installed, counts, malloc works\n");
  EXPECT_EQ(run("BURSAR_TRACKING=off LD_PRELOAD=" BURSAR_PRELOAD " " BURSAR_UNTRACKED_PROBE).output,
            "not installed, does not count, malloc works\n");
}

TEST(Detection, AnAllocatorThatIsNotThereDoesNotSeemToBe) {
  const std::string nothing = "jemalloc not there, mimalloc not there, tcmalloc not there\n";
  EXPECT_EQ(run(BURSAR_DETECTION_PROBE).output, nothing);
  EXPECT_EQ(run("LD_PRELOAD=" BURSAR_PRELOAD " " BURSAR_DETECTION_PROBE).output, nothing);
}

TEST(ReplacedOperators, APoolBehindThePlainFormsServesAllFormsThatRestOnThem) {
  EXPECT_EQ(run(BURSAR_REPLACED_NEW_PROBE).exit_code, 0);
  EXPECT_EQ(run("BURSAR_TRACKING=off " BURSAR_REPLACED_NEW_PROBE).exit_code, 0);
}

TEST(ReplacedOperators, OfArraysLeaveThePlainFormsTracked) {
  EXPECT_EQ(run(BURSAR_REPLACED_ARRAY_NEW_PROBE).exit_code, 0);
}

TEST(ProcessEnd, WhatRunsAfterMainIsCounted) {
  EXPECT_EQ(run(BURSAR_PROCESS_END_PROBE).exit_code, 0);
}

}  // namespace
