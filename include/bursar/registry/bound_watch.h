#pragma once

#include <bursar/base/clock.h>
#include <bursar/registry/component_registry.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace bursar {

// A component went beyond what it declared.
struct BoundBreach {
  std::string component;          // full dotted name
  std::uint64_t limit_bytes = 0;  // its minimum and its firm part together
  std::uint64_t live_bytes = 0;   // the most that was seen of it in this breach, so far
};

// How a component stands to its bounds.
struct BoundStanding {
  std::uint64_t limit_bytes = 0;
  std::uint64_t breaches = 0;  // how often it went beyond
  bool in_breach = false;
  std::uint64_t worst_live_bytes = 0;  // the most that was seen of it in any breach
};

// One line: "component a.b holds 12 MiB, 3 MiB more than the 9 MiB that it declared".
[[nodiscard]] std::string describe(const BoundBreach& breach);

// Compares what components declared with what they hold. One crossing is one breach, however long it lasts: it begins
// where the live bytes exceed the component's own limit by more than the tolerance, and is over once they are inside the
// limit again. A breach that begins and ends between two looks shows by the group's peak, where that had never been so
// high. Bytes are those of the ledger, hence usable sizes of the allocator. A component that declared nothing is never in
// breach; nor is the root, which holds what nobody declared.
//
// Thread-safety: yes. Allocates: yes, but for `share_of_current_group`. Blocks: for its mutexes, held while it looks.
// Cost: a check walks the tree and visits all groups.
class BoundWatch {
 public:
  struct Options {
    double tolerance = 0.10;
    // Told of each breach that begins, at most once in this time for each component, with how many were not told of.
    std::chrono::nanoseconds tell_interval = std::chrono::seconds(10);
    std::function<void(const BoundBreach& breach, std::uint64_t untold)> on_breach = {};
    // REQUIRES: outlives the watch.
    std::reference_wrapper<Clock> clock = monotonic_clock();
  };

  BoundWatch(ComponentRegistryHandle components, Options options);

  void check();

  // Of each component that declared bounds, by full name, as of the last check.
  [[nodiscard]] std::map<std::string, BoundStanding, std::less<>> standings() const;

  // What the group that the calling thread is in holds, as a share of its component's limit; nothing where no component
  // of that name has bounds. Bounds are those of the last check. Cost: a look-up, and some nanoseconds for each thread.
  [[nodiscard]] std::optional<double> share_of_current_group() const;

 private:
  struct Entry {
    BoundStanding standing;
    std::uint64_t seen_peak_bytes = 0;
    std::optional<Clock::TimePoint> told_at;
    std::uint64_t untold = 0;
  };
  struct NameHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const noexcept { return std::hash<std::string_view>{}(name); }
  };
  using Limits = std::unordered_map<std::string, std::uint64_t, NameHash, std::equal_to<>>;
  struct Tale {
    BoundBreach breach;
    std::uint64_t untold;
  };

  void look_at(const ComponentSnapshot& component, std::vector<Tale>& tales, Limits& limits);
  void judge(const ComponentSnapshot& component, Entry& entry, std::vector<Tale>& tales);

  const ComponentRegistryHandle components_;
  const Options options_;

  mutable std::mutex mutex_;  // guards the entries
  std::map<std::string, Entry, std::less<>> entries_;
  mutable std::shared_mutex limits_mutex_;  // is held exclusively only to exchange the limits
  Limits limits_;
};

}  // namespace bursar
