#pragma once

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace bursar::statsd::test {

// Asks `condition` until it holds. Ends the test program where it does not within two minutes.
template <typename Condition>
void wait_until(Condition&& condition) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::minutes(2);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > give_up) {
      std::fputs("what the test waits for does not come\n", stderr);
      std::abort();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

}  // namespace bursar::statsd::test
