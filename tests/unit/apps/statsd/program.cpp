#include "unit/apps/statsd/program.h"

#include <bursar/base/sanitizer.h>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>
#include <utility>

#include "unit/apps/statsd/wait_until.h"

namespace bursar::statsd::test {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

}  // namespace

Program::Program(const std::string& path, std::vector<std::string> arguments,
                 const std::map<std::string, std::string>& environment) {
  std::string pattern = (std::filesystem::temp_directory_path() / "bursar-program-XXXXXX").string();
  folder_ = ::mkdtemp(pattern.data());

  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (!std::string_view(*variable).starts_with("BURSAR_")) variables.emplace_back(*variable);
  }
  for (const auto& [name, value] : environment) variables.push_back(name + "=" + value);
  arguments.insert(arguments.begin(), path);

  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  constexpr int kFlags = O_WRONLY | O_CREAT | O_TRUNC;
  ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, (folder_ + "/output").c_str(), kFlags, 0600);
  ::posix_spawn_file_actions_addopen(&files, STDERR_FILENO, (folder_ + "/errors").c_str(), kFlags, 0600);
  const int error =
      ::posix_spawn(&process_, path.c_str(), &files, nullptr, pointers(arguments).data(), pointers(variables).data());
  ::posix_spawn_file_actions_destroy(&files);
  EXPECT_EQ(error, 0) << path;
  if (error != 0) process_ = -1;
}

Program::~Program() {
  if (process_ > 0) {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, &status_, 0);
  }
  std::filesystem::remove_all(folder_);
}

bool Program::has_ended() {
  if (process_ > 0 && ::waitpid(process_, &status_, WNOHANG) == process_) process_ = -1;
  return process_ < 0;
}

std::string Program::address(const std::string& name) {
  std::string line;
  wait_until([&] {
    const bool ended = has_ended();
    const std::string text = output();
    line = text.substr(0, text.find('\n') + 1);
    return ended || line.starts_with("listening");
  });
  const std::size_t start = line.find(" " + name + "=");
  if (start == std::string::npos) {
    ADD_FAILURE() << "no " << name << " in: " << line << errors();
    return "";
  }
  const std::size_t value = start + name.size() + 2;
  return line.substr(value, line.find_first_of(" \n", value) - value);
}

std::uint16_t Program::port(const std::string& name) {
  const std::string text = address(name);
  return static_cast<std::uint16_t>(std::atoi(text.substr(text.rfind(':') + 1).c_str()));
}

void Program::signal(int number) {
  if (number == SIGINT || number == SIGTERM) ending_signal_ = number;
  if (process_ > 0) ::kill(process_, number);
}

void Program::suspend() {
  signal(SIGSTOP);
  int status = 0;
  EXPECT_EQ(::waitpid(process_, &status, WUNTRACED), process_);
  EXPECT_TRUE(WIFSTOPPED(status));
}

int Program::wait() {
  static constexpr std::chrono::seconds kPatience{10};
  auto next = std::chrono::steady_clock::now() + kPatience;
  wait_until([this, &next] {
    if (BURSAR_THREAD_SANITIZER != 0 && ending_signal_ != 0 && std::chrono::steady_clock::now() >= next) {
      signal(ending_signal_);
      next += kPatience;
    }
    return has_ended();
  });
  return WIFEXITED(status_) ? WEXITSTATUS(status_) : -WTERMSIG(status_);
}

std::string Program::output() const {
  return read_file(folder_ + "/output");
}

std::string Program::errors() const {
  return read_file(folder_ + "/errors");
}

}  // namespace bursar::statsd::test
