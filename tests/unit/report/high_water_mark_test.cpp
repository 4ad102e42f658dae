#include "report/high_water_mark.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace bursar::report_detail {
namespace {

TEST(HighWaterMark, RisesWithTheFigureAndStaysWhereItFalls) {
  HighWaterMark mark;
  EXPECT_EQ(mark.raised_to(5), 5U);
  EXPECT_EQ(mark.raised_to(3), 5U);
  EXPECT_EQ(mark.raised_to(5), 5U);
  EXPECT_EQ(mark.raised_to(6), 6U);
}

TEST(HighWaterMark, NoThreadSeesItFall) {
  HighWaterMark mark;
  std::atomic<int> falls{0};
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&, thread] {
        std::uint64_t before = 0;
        for (std::uint64_t round = 0; round < 2000; ++round) {
          const std::uint64_t now = mark.raised_to((round * 7919 + thread) % 1500);
          falls += now < before ? 1 : 0;
          before = now;
        }
      });
    }
  }
  EXPECT_EQ(falls, 0);
  EXPECT_EQ(mark.raised_to(0), 1499U);
}

}  // namespace
}  // namespace bursar::report_detail
