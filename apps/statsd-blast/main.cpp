#include <csignal>
#include <cstdio>
#include <exception>

#include "blast.h"
#include "blast_options.h"
#include "target.h"

namespace {

volatile std::sig_atomic_t interrupted = 0;

// Without SA_RESTART: a send or a sleep comes back at once.
void stop_on(int signal_number) {
  struct sigaction action{};
  action.sa_handler = [](int) { interrupted = 1; };
  ::sigaction(signal_number, &action, nullptr);
}

int run(int argc, const char* const* argv) {
  using namespace bursar::blast;
  const auto options = parse_blast_options(argc, argv);
  if (!options) {
    std::fputs(options.error().text.c_str(), options.error().code == 0 ? stdout : stderr);
    return options.error().code;
  }
  auto target = Target::connect(options->target);
  if (!target) {
    std::fprintf(stderr, "statsd-blast: %s\n", target.error().c_str());
    return 1;
  }
  stop_on(SIGINT);
  stop_on(SIGTERM);
  const BlastReport report = run_blast(*options, *target, interrupted);
  std::fputs((options->json ? report.to_json(*options) : report.to_text(*options)).c_str(), stdout);
  if (report.fatal_error.empty()) return 0;
  std::fprintf(stderr, "statsd-blast: %s\n", report.fatal_error.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "statsd-blast: %s\n", error.what());
    return 1;
  }
}
