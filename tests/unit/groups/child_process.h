#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace bursar::testing {

struct ChildOutcome {
  int status = 0;  // as waitpid tells it
  std::string standard_error;

  [[nodiscard]] bool succeeded() const { return WIFEXITED(status) && WEXITSTATUS(status) == 0; }
};

// Runs `body` in a forked child, which ends with 0 where none of its expectations failed. For tests that use up
// something of the process that cannot be given back, and for what a child of a process sees.
template <typename Body>
[[nodiscard]] ChildOutcome run_in_child(Body&& body) {
  std::fflush(nullptr);
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) return {.status = 1, .standard_error = "no pipe"};
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    close(ends[1]);
    std::forward<Body>(body)();
    std::fflush(nullptr);
    _exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  close(ends[1]);
  ChildOutcome outcome;
  std::array<char, 512> buffer{};
  for (ssize_t length = 0; (length = read(ends[0], buffer.data(), buffer.size())) > 0;) {
    outcome.standard_error.append(buffer.data(), static_cast<std::size_t>(length));
  }
  close(ends[0]);
  waitpid(child, &outcome.status, 0);
  return outcome;
}

// Expects that the child got through, and shows what it wrote where it did not.
inline void expect_success(const ChildOutcome& outcome) {
  EXPECT_TRUE(outcome.succeeded()) << "wait status " << outcome.status << ", standard error:\n"
                                   << outcome.standard_error;
}

}  // namespace bursar::testing
