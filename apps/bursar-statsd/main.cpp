#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

#include "config/options.h"
#include "plane/data_plane.h"

namespace {

constexpr int kCannotStart = 2;

// True where there is no file to write.
bool write_file(const std::string& text, const std::optional<std::string>& path) {
  if (!path) return true;
  std::ofstream file(*path, std::ios::trunc);
  file << text;
  file.close();
  if (file) return true;
  std::fprintf(stderr, "bursar-statsd: cannot write %s: %s\n", path->c_str(),
               std::generic_category().message(errno).c_str());
  return false;
}

bool print(const std::string& text, const std::optional<std::string>& path) {
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
  return write_file(text, path);
}

int run(int argc, const char* const* argv) {
  using namespace bursar::statsd;
  const auto options = parse_options(argc, argv);
  if (!options) {
    std::fputs(options.error().text.c_str(), options.error().code == 0 ? stdout : stderr);
    return options.error().code;
  }
  const auto plane = DataPlane::create(*options);
  if (!plane) {
    std::fprintf(stderr, "bursar-statsd: %s\n", plane.error().c_str());
    return kCannotStart;
  }
  // Whoever reads the table may go away; that ends no server.
  std::signal(SIGPIPE, SIG_IGN);
  if (!print((*plane)->listening_line() + "\n", options->listening_file)) return kCannotStart;
  (*plane)->run();
  std::fputs((*plane)->summary().c_str(), stdout);
  return write_file((*plane)->summary_as_json(), options->summary_file) ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bursar-statsd: %s\n", error.what());
    return 1;
  }
}
