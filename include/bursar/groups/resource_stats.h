#pragma once

#include <cstdint>

namespace bursar {

// The figures of one resource group at one moment. All are totals since the group was registered and never go back.
//
// A byte is a byte of the upstream allocator's usable size, Bursar's tag included.
//
// Thread-safety: a plain value. Allocates: no. Blocks: no.
struct ResourceStatsSnapshot {
  std::uint64_t allocated_bytes = 0;
  std::uint64_t allocated_objects = 0;
  std::uint64_t deallocated_bytes = 0;
  std::uint64_t deallocated_objects = 0;
  std::uint64_t cpu_time_nanos = 0;

  [[nodiscard]] static constexpr ResourceStatsSnapshot empty() noexcept { return {}; }

  // What is allocated and not yet released. Never negative in a snapshot; a *delta* in which more was released than
  // allocated answers 0.
  [[nodiscard]] constexpr std::uint64_t live_bytes() const noexcept {
    return allocated_bytes > deallocated_bytes ? allocated_bytes - deallocated_bytes : 0;
  }
  [[nodiscard]] constexpr std::uint64_t live_objects() const noexcept {
    return allocated_objects > deallocated_objects ? allocated_objects - deallocated_objects : 0;
  }

  // Adds the figures of `other`, as for a component and its subcomponents.
  constexpr ResourceStatsSnapshot& merge(const ResourceStatsSnapshot& other) noexcept {
    allocated_bytes += other.allocated_bytes;
    allocated_objects += other.allocated_objects;
    deallocated_bytes += other.deallocated_bytes;
    deallocated_objects += other.deallocated_objects;
    cpu_time_nanos += other.cpu_time_nanos;
    return *this;
  }

  friend constexpr bool operator==(const ResourceStatsSnapshot&, const ResourceStatsSnapshot&) = default;
};

// What a visitor of the registry is shown of one group: its totals, read once, consistent in themselves.
//
// Thread-safety: a plain value. Allocates: no. Blocks: no.
class ResourceStats {
 public:
  constexpr ResourceStats() noexcept = default;
  constexpr explicit ResourceStats(const ResourceStatsSnapshot& totals, std::uint64_t entries = 0,
                                   std::uint64_t peak_live_bytes = 0) noexcept
      : totals_(totals), entries_(entries), peak_live_bytes_(peak_live_bytes) {}

  [[nodiscard]] constexpr const ResourceStatsSnapshot& totals() const noexcept { return totals_; }

  // How often the group was entered: by guards, by coroutines at each resumption, and by resources made for it.
  [[nodiscard]] constexpr std::uint64_t entries() const noexcept { return entries_; }

  // The most bytes that were live at once, as ResourceGroupToken::peak_live_bytes tells, but without a look at this call;
  // never less than what is live.
  [[nodiscard]] constexpr std::uint64_t peak_live_bytes() const noexcept {
    return peak_live_bytes_ > totals_.live_bytes() ? peak_live_bytes_ : totals_.live_bytes();
  }

  // What has come since `previous`, an earlier value of `totals()`; with `ResourceStatsSnapshot::empty()` the totals
  // themselves.
  [[nodiscard]] constexpr ResourceStatsSnapshot snapshot_delta(const ResourceStatsSnapshot& previous) const noexcept {
    return {
        .allocated_bytes = totals_.allocated_bytes - previous.allocated_bytes,
        .allocated_objects = totals_.allocated_objects - previous.allocated_objects,
        .deallocated_bytes = totals_.deallocated_bytes - previous.deallocated_bytes,
        .deallocated_objects = totals_.deallocated_objects - previous.deallocated_objects,
        .cpu_time_nanos = totals_.cpu_time_nanos - previous.cpu_time_nanos,
    };
  }

  // Whether the group has allocated anything since it was registered.
  [[nodiscard]] constexpr bool has_allocated() const noexcept { return totals_.allocated_objects != 0; }

 private:
  ResourceStatsSnapshot totals_;
  std::uint64_t entries_ = 0;
  std::uint64_t peak_live_bytes_ = 0;
};

}  // namespace bursar
