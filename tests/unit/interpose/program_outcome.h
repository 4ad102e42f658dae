#pragma once

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <string>

namespace bursar::testing {

struct Outcome {
  int exit_code = -1;
  std::string output;
};

// Runs a shell's command, and takes what it writes, errors too.
inline Outcome run(const std::string& command) {
  Outcome outcome;
  std::FILE* output = popen((command + " 2>&1").c_str(), "re");
  if (output == nullptr) return outcome;
  std::array<char, 256> buffer{};
  while (std::fgets(buffer.data(), buffer.size(), output) != nullptr) outcome.output += buffer.data();
  const int status = pclose(output);
  outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 1'000 + WTERMSIG(status);
  return outcome;
}

}  // namespace bursar::testing
