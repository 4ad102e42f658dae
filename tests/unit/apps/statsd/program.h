#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace bursar::statsd::test {

// A program under test, with its output in files of a folder that goes with it.
class Program {
 public:
  // Starts it. `environment` is added to what there is, without variables that begin with BURSAR_.
  Program(const std::string& path, std::vector<std::string> arguments,
          const std::map<std::string, std::string>& environment = {});
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program();  // kills what still runs

  // The address after `name=` in the start line: waits until the line is there, or the program has ended.
  [[nodiscard]] std::string address(const std::string& name);
  [[nodiscard]] std::uint16_t port(const std::string& name);

  void signal(int number);
  // Stops it with SIGSTOP: it does nothing any more when this returns.
  void suspend();
  // Waits for the end: the exit code, or minus the signal. ThreadSanitizer now and then loses a signal that comes while
  // the program computes; there it is sent again.
  int wait();

  [[nodiscard]] std::string output() const;
  [[nodiscard]] std::string errors() const;
  [[nodiscard]] const std::string& folder() const { return folder_; }

 private:
  [[nodiscard]] bool has_ended();

  std::string folder_;
  pid_t process_ = -1;
  int status_ = 0;
  int ending_signal_ = 0;
};

}  // namespace bursar::statsd::test
