#include <bursar/alloc/tracking_resource.h>
#include <bursar/testing/component_bounds.h>

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <cstddef>

namespace bursar::testing {
namespace {

// A component that held `most` bytes for a moment, having declared `limit`.
class ComponentBoundsHelper : public ::testing::Test {
 protected:
  void SetUp() override { components = ComponentRegistry(); }

  // Each under a name of its own: groups outlive a tree.
  void hold(const char* name, std::size_t limit, std::size_t most) {
    const ComponentRegistry component = components.get_or_create(name);
    if (limit > 0) component.bounds_builder().firm().with_fixed_amount("all", limit);
    TrackingResource resource(component.token());
    resource.deallocate(resource.allocate(most), most);
  }

  ComponentRegistry components;
};

TEST_F(ComponentBoundsHelper, AComponentInsideItsBoundsPasses) {
  hold("helper_inside", 2 << 20, 1 << 20);
  EXPECT_TRUE(bounds_hold(components.root()));
  EXPECT_TRUE(bounds_hold(components.root(), "helper_inside"));
  EXPECT_TRUE(bounds_hold(components.root(), {.overdeclared_factor = 4}));
}

TEST_F(ComponentBoundsHelper, OneThatWentBeyondThemFailsTheTestWithItsNumbers) {
  hold("helper_beyond", 1 << 20, 2 << 20);
  const auto result = bounds_hold(components.root());
  EXPECT_FALSE(result);
  const std::string message = result.message();
  EXPECT_NE(message.find("helper_beyond held 2"), std::string::npos) << message;
  EXPECT_NE(message.find("declared 1048576"), std::string::npos) << message;
  EXPECT_FALSE(bounds_hold(components.root(), "helper_beyond"));
}

TEST_F(ComponentBoundsHelper, WhatIsInsideTheTolerancePasses) {
  hold("helper_tolerated", 1 << 20, (1 << 20) + (1 << 16));
  EXPECT_TRUE(bounds_hold(components.root()));
  EXPECT_FALSE(bounds_hold(components.root(), {.excess = 0.01}));
}

TEST_F(ComponentBoundsHelper, OneThatDeclaredFarTooMuchFailsWhereAFactorIsGiven) {
  hold("helper_overdeclared", 16 << 20, 1 << 20);
  EXPECT_TRUE(bounds_hold(components.root()));
  EXPECT_TRUE(bounds_hold(components.root(), {.overdeclared_factor = 17}));
  EXPECT_FALSE(bounds_hold(components.root(), {.overdeclared_factor = 4}));
}

TEST_F(ComponentBoundsHelper, OneWithoutBoundsIsNotJudged) {
  hold("helper_undeclared", 0, 1 << 20);
  EXPECT_TRUE(bounds_hold(components.root(), {.overdeclared_factor = 2}));
}

TEST_F(ComponentBoundsHelper, ANameThatNoComponentHasFails) {
  EXPECT_FALSE(bounds_hold(components.root(), "helper_nobody"));
}

TEST(BoundsCheck, FailsTheTestAtTheEndOfItsScope) {
  static const ComponentRegistry components;
  components.get_or_create("helper_checked").bounds_builder().firm().with_fixed_amount("all", 1 << 20);
  EXPECT_NONFATAL_FAILURE(
      {
        const BoundsCheck check(components.root());
        TrackingResource resource(components.get_or_create("helper_checked").token());
        resource.deallocate(resource.allocate(4 << 20), 4 << 20);
      },
      "beyond its bounds");
}

}  // namespace
}  // namespace bursar::testing
