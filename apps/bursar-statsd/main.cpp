#include <cstdio>
#include <exception>
#include <memory>

#include "config/memory_settings.h"
#include "config/options.h"
#include "plane/data_plane.h"

namespace {

constexpr int kCannotStart = 2;

int run(int argc, const char* const* argv) {
  using namespace bursar::statsd;
  const auto options = parse_options(argc, argv);
  if (!options) {
    std::fputs(options.error().text.c_str(), options.error().code == 0 ? stdout : stderr);
    return options.error().code;
  }
  const auto settings = resolve_memory_settings(options->memory, MemorySources::of_process());
  if (!settings) {
    std::fprintf(stderr, "bursar-statsd: %s\n", settings.error().c_str());
    return kCannotStart;
  }
  const auto plane = DataPlane::create(*options, *settings);
  if (!plane) {
    std::fprintf(stderr, "bursar-statsd: %s\n", plane.error().c_str());
    return kCannotStart;
  }
  std::printf("%s\n", (*plane)->listening_line().c_str());
  std::fflush(stdout);
  (*plane)->run();
  std::fputs((*plane)->summary().c_str(), stdout);
  return 0;
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
