#include <bursar/limiter/reclaim.h>

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace bursar {
namespace {

class ReclaimTest : public ::testing::Test {
 protected:
  // A component that is so far beyond its bounds and can give so much back.
  [[nodiscard]] ReclaimRegistration component(const std::string& name, std::uint64_t overdraft, std::uint64_t gives) {
    return {list, list->add(
                      name, [overdraft] { return overdraft; },
                      [this, name, gives](std::uint64_t wanted) {
                        asked.push_back(name + " " + std::to_string(wanted));
                        return gives;
                      })};
  }

  std::uint64_t reclaim(std::uint64_t wanted) {
    return list->reclaim(wanted, [this](const std::string& name, std::uint64_t bytes) {
      told.push_back(name + " " + std::to_string(bytes));
    });
  }

  std::shared_ptr<detail::ReclaimList> list = std::make_shared<detail::ReclaimList>();
  std::vector<std::string> asked;
  std::vector<std::string> told;
};

TEST_F(ReclaimTest, TheLargestOverdraftIsAskedFirst) {
  const auto small = component("small", 10, 0);
  const auto large = component("large", 1000, 0);
  const auto none = component("none", 0, 0);
  const auto middle = component("middle", 100, 0);
  EXPECT_EQ(reclaim(50), 0u);
  EXPECT_EQ(asked, (std::vector<std::string>{"large 50", "middle 50", "small 50", "none 50"}));
}

TEST_F(ReclaimTest, NobodyIsAskedOnceEnoughHasComeBack) {
  const auto first = component("first", 3, 30);
  const auto second = component("second", 2, 20);
  const auto third = component("third", 1, 10);
  EXPECT_EQ(reclaim(50), 50u);
  EXPECT_EQ(asked, (std::vector<std::string>{"first 50", "second 20"}));
  EXPECT_EQ(told, (std::vector<std::string>{"first 30", "second 20"}));
}

TEST_F(ReclaimTest, WhoGaveNothingIsNotTold) {
  const auto first = component("first", 3, 0);
  EXPECT_EQ(reclaim(50), 0u);
  EXPECT_TRUE(told.empty());
}

TEST_F(ReclaimTest, OneThatHasEndedIsNotAsked) {
  std::optional<ReclaimRegistration> first = component("first", 3, 30);
  first.reset();
  EXPECT_TRUE(list->empty());
  EXPECT_EQ(reclaim(50), 0u);
  EXPECT_TRUE(asked.empty());
}

TEST_F(ReclaimTest, AMovedRegistrationIsStillOne) {
  ReclaimRegistration first = component("first", 3, 30);
  ReclaimRegistration moved(std::move(first));
  EXPECT_EQ(reclaim(30), 30u);
  moved = component("second", 3, 20);
  EXPECT_EQ(reclaim(20), 20u);
  EXPECT_EQ(asked, (std::vector<std::string>{"first 30", "second 20"}));
}

TEST_F(ReclaimTest, ACallbackThatThrowsGivesNothingAndTheNextIsAsked) {
  const ReclaimRegistration broken(list,
                                   list->add(
                                       "broken", [] { return std::uint64_t{5}; },
                                       [](std::uint64_t) -> std::uint64_t { throw std::runtime_error("broken"); }));
  const auto next = component("next", 1, 50);
  EXPECT_EQ(reclaim(50), 50u);
}

TEST_F(ReclaimTest, ACallbackMayEndItsOwnRegistration) {
  std::optional<ReclaimRegistration> self;
  self.emplace(list, list->add(
                         "self", [] { return std::uint64_t{5}; },
                         [&self](std::uint64_t) {
                           self.reset();
                           return std::uint64_t{50};
                         }));
  EXPECT_EQ(reclaim(50), 50u);
  EXPECT_TRUE(list->empty());
}

TEST_F(ReclaimTest, ACallbackMayEndAnothersRegistration) {
  std::optional<ReclaimRegistration> other = component("other", 1, 50);
  const ReclaimRegistration ender(list, list->add(
                                            "ender", [] { return std::uint64_t{5}; },
                                            [&other](std::uint64_t) {
                                              other.reset();
                                              return std::uint64_t{0};
                                            }));
  EXPECT_EQ(reclaim(50), 0u);
  EXPECT_TRUE(asked.empty());
}

TEST_F(ReclaimTest, TheEndOfARegistrationWaitsForItsCallback) {
  std::atomic<bool> inside{false};
  std::atomic<bool> let_go{false};
  std::atomic<bool> left{false};
  std::optional<ReclaimRegistration> slow;
  slow.emplace(list, list->add(
                         "slow", [] { return std::uint64_t{5}; },
                         [&](std::uint64_t) {
                           inside.store(true);
                           inside.notify_one();
                           let_go.wait(false);
                           left.store(true);
                           return std::uint64_t{50};
                         }));
  const std::jthread limiters([this] { reclaim(50); });
  inside.wait(false);
  const std::jthread releaser([&] {
    let_go.store(true);
    let_go.notify_one();
  });
  slow.reset();
  EXPECT_TRUE(left.load());
}

}  // namespace
}  // namespace bursar
