#include <bursar/cpu/clock_choice.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

#include <bursar/cpu/run_flag.h>
#include <bursar/cpu/tick_counter.h>
#include <gtest/gtest.h>

namespace bursar::cpu {
namespace {

constexpr std::array kKinds = {ClockKind::Flag, ClockKind::Fit, ClockKind::Kernel};

// What a fresh process with this setting chooses, and whatever it wrote to standard error.
std::string choice_with(const std::string& setting) {
  const std::string command = setting + " " BURSAR_CLOCK_PROBE " 2>&1";
  std::FILE* output = popen(command.c_str(), "re");
  std::string text;
  std::array<char, 256> buffer{};
  while (output != nullptr && std::fgets(buffer.data(), buffer.size(), output) != nullptr) text += buffer.data();
  if (output == nullptr || pclose(output) != 0) text += "(failed)";
  return text;
}

TEST(ClockKind, NamesAreReadAsTheyAreWritten) {
  for (const ClockKind kind : kKinds) EXPECT_EQ(clock_kind_from(name_of(kind)), kind);
  EXPECT_EQ(name_of(ClockKind::Undecided), "undecided");
  for (const std::string_view other : {"", "undecided", "auto", "Flag", "kernel ", "tsc"}) {
    EXPECT_EQ(clock_kind_from(other), std::nullopt) << other;
  }
}

TEST(ClockChoice, IsMadeOnceWithAReason) {
  const ClockChoice first = clock_choice();
  EXPECT_NE(first.kind, ClockKind::Undecided);
  EXPECT_FALSE(first.reason.empty());
  EXPECT_EQ(clock_choice().kind, first.kind);
  EXPECT_EQ(clock_choice().reason, first.reason);
}

TEST(ClockChoice, CanBeForcedToWhatTheMachineHas) {
  const ClockKind before = clock_choice().kind;
  EXPECT_TRUE(force_clock(ClockKind::Kernel)) << "every machine has it";
  EXPECT_EQ(clock_choice().kind, ClockKind::Kernel);
  EXPECT_EQ(force_clock(ClockKind::Fit), ticks_are_usable());
  EXPECT_EQ(force_clock(ClockKind::Flag), ticks_are_usable() && run_flag_is_lowered_by_sleep());
  EXPECT_FALSE(force_clock(ClockKind::Undecided));
  force_clock(before);
}

TEST(ClockChoice, TheKernelsClockCanBeHadByTheEnvironmentEverywhere) {
  EXPECT_EQ(choice_with("BURSAR_CPU_CLOCK=kernel"), "kernel: BURSAR_CPU_CLOCK names it\n");
}

TEST(ClockChoice, WhatTheMachineDoesNotHaveCannotBeHadByNamingIt) {
  const std::string fit = choice_with("BURSAR_CPU_CLOCK=fit");
  const std::string flag = choice_with("BURSAR_CPU_CLOCK=flag");
  EXPECT_EQ(fit.substr(0, fit.find(':')), ticks_are_usable() ? "fit" : "kernel");
  const bool has_flag = ticks_are_usable() && run_flag_is_lowered_by_sleep();
  EXPECT_EQ(flag.substr(0, flag.find(':')), has_flag ? "flag" : ticks_are_usable() ? "fit" : "kernel");
}

TEST(ClockChoice, AutoIsTheDefault) {
  EXPECT_EQ(choice_with("BURSAR_CPU_CLOCK=auto"), choice_with("env -u BURSAR_CPU_CLOCK"));
}

TEST(ClockChoice, AnUnknownSettingIsWarnedOfOnceAndTakenForAuto) {
  EXPECT_EQ(choice_with("BURSAR_CPU_CLOCK=sundial"),
            "bursar: BURSAR_CPU_CLOCK is none of `auto`, `flag`, `fit` and `kernel`; it is taken for `auto`\n" +
                choice_with("BURSAR_CPU_CLOCK=auto"));
}

TEST(ClockChoice, WithoutARestartableSequencesAreaIsFitted) {
  if (!ticks_are_usable()) GTEST_SKIP() << "needs a processor whose counter runs at one rate";
  EXPECT_EQ(choice_with("GLIBC_TUNABLES=glibc.pthread.rseq=0"),
            "fit: the C library has registered no restartable-sequences area\n");
}

TEST(RunFlag, IsUpUntilItIsLowered) {
  if (!RunFlag::exists()) GTEST_SKIP() << "no restartable-sequences area";
  bool seen_up = false;
  // The thread may be interrupted just then; not every time.
  for (int i = 0; i < 100 && !seen_up; ++i) {
    RunFlag::raise();
    seen_up = RunFlag::is_up();
  }
  EXPECT_TRUE(seen_up);
  RunFlag::lower();
  EXPECT_FALSE(RunFlag::is_up());
}

TEST(TickCounter, RunsOnWhereItIsUsable) {
  if (!ticks_are_usable()) GTEST_SKIP();
  const std::uint64_t first = ticks();
  std::uint64_t second = first;
  for (int i = 0; i < 1'000'000 && second == first; ++i) second = ticks();
  EXPECT_GT(second, first);
}

}  // namespace
}  // namespace bursar::cpu
