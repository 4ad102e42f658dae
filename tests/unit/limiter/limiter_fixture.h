#pragma once

#include <bursar/bounds/memory_grant.h>
#include <bursar/limiter/memory_limiter.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "unit/limiter/fake_clock.h"

namespace bursar {

// A limit of 1000 bytes, a usage that the test sets, a clock that the test moves, and no thread.
class LimiterTest : public ::testing::Test {
 protected:
  static constexpr std::uint64_t kLimitBytes = 1000;

  [[nodiscard]] MemoryLimiterOptions options() {
    MemoryLimiterOptions result;
    result.usage_sensors = {[this]() -> std::optional<std::uint64_t> {
      ++readings;
      return usage;
    }};
    result.background_thread = false;
    result.purge = std::function<void()>();
    result.clock = clock;
    return result;
  }

  [[nodiscard]] static MemoryLimiter create(MemoryLimiterOptions options, std::uint64_t limit_bytes = kLimitBytes) {
    auto limiter = MemoryLimiter::create(MemoryGrant::effective(limit_bytes).value(), std::move(options));
    EXPECT_TRUE(limiter) << limiter.error().message();
    return *std::move(limiter);
  }

  [[nodiscard]] static std::string error_of(MemoryLimiterOptions options, std::uint64_t limit_bytes = kLimitBytes) {
    const auto limiter = MemoryLimiter::create(MemoryGrant::effective(limit_bytes).value(), std::move(options));
    return limiter ? "no error" : limiter.error().message();
  }

  FakeClock clock;
  std::optional<std::uint64_t> usage = 0;
  int readings = 0;
};

}  // namespace bursar
