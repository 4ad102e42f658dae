#pragma once

#include <bursar/registry/component_registry.h>
#include <bursar/registry/registry_snapshot.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace bursar::testing {

// How much the figures of components may differ from what they declared.
struct BoundsTolerance {
  // A component fails that ever held more than its limit by more than this share.
  double excess = 0.10;
  // One fails, too, that declared more than so many times the most it ever held; 0: it may declare what it likes.
  double overdeclared_factor = 0.0;
};

namespace internal {

inline void judge(const ComponentSnapshot& component, const BoundsTolerance& tolerance, std::string& faults) {
  for (const ComponentSnapshot& subcomponent : component.subcomponents) judge(subcomponent, tolerance, faults);
  const std::uint64_t limit = component.limit_bytes;
  if (limit == 0) return;
  const std::uint64_t live = component.usage ? component.usage->live_bytes() : 0;
  const std::uint64_t peak = std::max(component.peak_live_bytes.value_or(0), live);
  const std::string figures = component.full_name + " held " + std::to_string(peak) + " bytes at most (now " +
                              std::to_string(live) + "), and declared " + std::to_string(limit) + " (minimum " +
                              std::to_string(component.minimum_required_bytes) + " + firm " +
                              std::to_string(component.firm_limit_bytes) + "): ";
  const auto as_double = [](std::uint64_t bytes) { return static_cast<double>(bytes); };
  if (as_double(peak) > as_double(limit) * (1.0 + tolerance.excess)) {
    faults += figures + "that is beyond its bounds\n";
  } else if (tolerance.overdeclared_factor > 0 && as_double(limit) > as_double(peak) * tolerance.overdeclared_factor) {
    faults += figures + "that is far too much\n";
  }
}

inline const ComponentSnapshot* find(const ComponentSnapshot& component, std::string_view name) {
  if (component.full_name == name) return &component;
  for (const ComponentSnapshot& subcomponent : component.subcomponents) {
    if (const ComponentSnapshot* found = find(subcomponent, name)) return found;
  }
  return nullptr;
}

}  // namespace internal

// Whether every component that declared bounds kept to them since its group was registered, by the most that it ever
// held; the message names each that did not, with the numbers. Components without bounds are not judged. Bytes are
// usable sizes of the allocator, and are only there where the test links bursar::interpose or allocates by a
// TrackingResource.
//
//   EXPECT_TRUE(bursar::testing::bounds_hold(components.root()));
//   EXPECT_TRUE(bursar::testing::bounds_hold(components.root(), {.overdeclared_factor = 4}));
//
// Thread-safety: yes. Allocates: yes. Blocks: for other users of the tree.
[[nodiscard]] inline ::testing::AssertionResult bounds_hold(const ComponentRegistryHandle& components,
                                                            const BoundsTolerance& tolerance = {}) {
  std::string faults;
  internal::judge(components.snapshot().root, tolerance, faults);
  if (faults.empty()) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << faults;
}

// The same of one component and all below it; a name that no component has is a failure.
[[nodiscard]] inline ::testing::AssertionResult bounds_hold(const ComponentRegistryHandle& components,
                                                            std::string_view name,
                                                            const BoundsTolerance& tolerance = {}) {
  const RegistrySnapshot snapshot = components.snapshot();
  const ComponentSnapshot* component = internal::find(snapshot.root, name);
  if (component == nullptr) return ::testing::AssertionFailure() << "there is no component " << name;
  std::string faults;
  internal::judge(*component, tolerance, faults);
  if (faults.empty()) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << faults;
}

// Holds a test to the bounds of its components: where one did not keep to them by the end of the scope, the test has
// failed. GoogleTest's fixtures may have it as a member.
//
// Thread-safety: belongs to the test's thread. Allocates: yes. Blocks: as above.
class [[nodiscard]] BoundsCheck {
 public:
  [[nodiscard]] explicit BoundsCheck(ComponentRegistryHandle components, const BoundsTolerance& tolerance = {})
      : components_(std::move(components)), tolerance_(tolerance) {}
  BoundsCheck(const BoundsCheck&) = delete;
  BoundsCheck& operator=(const BoundsCheck&) = delete;
  ~BoundsCheck() { EXPECT_TRUE(bounds_hold(components_, tolerance_)); }

 private:
  ComponentRegistryHandle components_;
  BoundsTolerance tolerance_;
};

}  // namespace bursar::testing
