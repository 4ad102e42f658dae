#include "aggregate/unique_counter.h"

#include <gtest/gtest.h>

#include <string>

namespace bursar::statsd {
namespace {

double count_of(int different, int repetitions) {
  UniqueCounter counter;
  for (int repetition = 0; repetition < repetitions; ++repetition) {
    for (int i = 0; i < different; ++i) counter.insert("user-" + std::to_string(i));
  }
  return counter.count();
}

TEST(UniqueCounter, CountsNothing) {
  EXPECT_EQ(UniqueCounter{}.count(), 0);
}

TEST(UniqueCounter, IsExactUpToItsLimit) {
  EXPECT_EQ(count_of(1, 5), 1);
  EXPECT_EQ(count_of(128, 3), 128);
}

TEST(UniqueCounter, EstimatesBeyond) {
  for (const int different : {129, 500, 2'000, 3'000, 10'000, 100'000}) {
    // Four standard errors; the hash is fixed, so this either always holds or never.
    EXPECT_NEAR(count_of(different, 1), different, different * 0.13) << different;
  }
}

TEST(UniqueCounter, RepetitionsDoNotCountInAnEstimateEither) {
  EXPECT_EQ(count_of(1000, 1), count_of(1000, 3));
}

}  // namespace
}  // namespace bursar::statsd
