#include <bursar/limiter/limiter_state.h>

#include <gtest/gtest.h>

namespace bursar {
namespace {

TEST(LimiterModeTest, EachModeIsReadByItsName) {
  for (const LimiterMode mode : {LimiterMode::On, LimiterMode::Off, LimiterMode::Observe}) {
    EXPECT_EQ(parse_limiter_mode(to_string(mode)), mode);
  }
}

TEST(LimiterModeTest, AnotherWordIsAnErrorThatNamesTheRightOnes) {
  EXPECT_EQ(parse_limiter_mode("On").error(), "\"On\" is no limiter mode; it is one of on, off and observe");
  EXPECT_FALSE(parse_limiter_mode(""));
  EXPECT_FALSE(parse_limiter_mode("offf"));
}

TEST(LimiterStateTest, EachStateHasItsWord) {
  EXPECT_EQ(to_string(LimiterState::Normal), "normal");
  EXPECT_EQ(to_string(LimiterState::Soft), "soft");
  EXPECT_EQ(to_string(LimiterState::Hard), "hard");
}

}  // namespace
}  // namespace bursar
