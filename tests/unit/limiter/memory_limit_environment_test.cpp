#include <bursar/limiter/memory_limit_environment.h>

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdint>
#include <optional>
#include <string>

namespace bursar {
namespace {

class MemoryLimitEnvironmentTest : public ::testing::Test {
 protected:
  MemoryLimitEnvironmentTest() {
    if (const char* const value = ::getenv(kVariable)) before_ = value;
  }
  ~MemoryLimitEnvironmentTest() override {
    if (before_) {
      ::setenv(kVariable, before_->c_str(), 1);
    } else {
      ::unsetenv(kVariable);
    }
  }

  static constexpr const char* kVariable = "BURSAR_MEMORY_LIMIT";
  std::optional<std::string> before_;
};

TEST_F(MemoryLimitEnvironmentTest, AnAmountIsRead) {
  ::setenv(kVariable, "64MiB", 1);
  EXPECT_EQ(memory_limit_from_environment().value(), std::uint64_t{64} << 20);
}

TEST_F(MemoryLimitEnvironmentTest, WithoutTheVariableThereIsNoLimit) {
  ::unsetenv(kVariable);
  EXPECT_EQ(memory_limit_from_environment().value(), std::nullopt);
  ::setenv(kVariable, "", 1);
  EXPECT_EQ(memory_limit_from_environment().value(), std::nullopt);
}

TEST_F(MemoryLimitEnvironmentTest, JunkIsAnErrorThatNamesTheVariableAndQuotesTheValue) {
  ::setenv(kVariable, "lots", 1);
  const auto limit = memory_limit_from_environment();
  ASSERT_FALSE(limit);
  EXPECT_TRUE(limit.error().starts_with("BURSAR_MEMORY_LIMIT: \"lots\"")) << limit.error();
}

TEST_F(MemoryLimitEnvironmentTest, ZeroIsAnError) {
  ::setenv(kVariable, "0", 1);
  EXPECT_EQ(memory_limit_from_environment().error(),
            "BURSAR_MEMORY_LIMIT: \"0\" is no memory limit; it should be 1 B at least, or not be set for none");
}

}  // namespace
}  // namespace bursar
