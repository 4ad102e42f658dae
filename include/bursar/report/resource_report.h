#pragma once

#include <bursar/bounds/memory_grant.h>
#include <bursar/cpu/clock_choice.h>
#include <bursar/groups/resource_stats.h>
#include <bursar/limiter/limiter_state.h>
#include <bursar/limiter/memory_limiter.h>
#include <bursar/registry/bound_watch.h>
#include <bursar/registry/component_registry.h>
#include <bursar/registry/registry_snapshot.h>
#include <bursar/registry/resource_accounting.h>
#include <bursar/report/process_readings.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace bursar {

// What a limiter says of itself at one moment.
//
// Thread-safety: a plain value. Allocates: its events. Blocks: no.
struct LimiterReading {
  LimiterMode mode = LimiterMode::Off;
  LimiterState state = LimiterState::Normal;
  bool sheds = false;
  std::chrono::nanoseconds backoff{0};
  std::optional<std::uint64_t> usage_bytes;
  std::optional<std::uint64_t> effective_limit_bytes;
  std::uint64_t waits = 0;
  std::uint64_t failed_readings = 0;
  std::uint64_t looks = 0;
  // The last ones, oldest first, and how long ago each was when this was read.
  struct Event {
    LimiterEvent event;
    std::chrono::nanoseconds age{0};
  };
  std::vector<Event> events = {};

  [[nodiscard]] static LimiterReading of(const MemoryLimiter& limiter);
};

// How the books themselves are kept: whether there are any, and what could not be booked.
//
// Thread-safety: a plain value. Allocates: no. Blocks: no.
struct BookkeepingReading {
  bool allocator_installed = false;
  std::uint64_t foreign_blocks = 0;
  std::uint64_t stale_tokens = 0;
  std::uint64_t rejected_groups = 0;
  cpu::ClockChoice cpu_clock;
};

// Everything that is reported, read once: all that the metrics, the JSON and the table show comes out of one of these,
// so what they show agrees.
//
// Thread-safety: a plain value. Allocates: its parts. Blocks: no.
struct ResourceReport {
  std::chrono::system_clock::time_point time;
  RegistrySnapshot groups;
  ResourceStatsSnapshot retired;  // groups that are gone
  BookkeepingReading bookkeeping;
  ProcessReadings process;
  std::optional<MemoryGrant> grant;
  std::optional<LimiterReading> limiter;
  // Of the components that are watched, by full name.
  std::map<std::string, BoundStanding, std::less<>> bound_standings;

  // All groups together, those that are gone included.
  [[nodiscard]] ResourceStatsSnapshot total_usage() const noexcept;

  // What the process has that no group accounts for: resident bytes that are not live, and CPU time that no thread has
  // reported. Never negative; nothing where the process's figure is unknown.
  [[nodiscard]] std::optional<std::uint64_t> unattributed_bytes() const noexcept;
  [[nodiscard]] std::optional<std::uint64_t> unattributed_cpu_nanos() const noexcept;
};

// An earlier report, to show what has come since: CPU shares and rates.
//
// Thread-safety: a plain value. Allocates: no. Blocks: no.
struct EarlierReport {
  const ResourceReport& report;
  std::chrono::nanoseconds elapsed;
};

// Reads all of it now. `limiter` and `bound_watch` may be nullptr; the watch looks
// anew. The groups are read first and the process last, so that what happens
// between counts as unattributed and not the other way round.
//
// Thread-safety: yes. Allocates: the report. Blocks: as ProcessSensor::read.
[[nodiscard]] ResourceReport take_resource_report(const ComponentRegistryHandle& components,
                                                  const ProcessSensor& process,
                                                  std::optional<MemoryGrant> grant = std::nullopt,
                                                  const MemoryLimiter* limiter = nullptr,
                                                  BoundWatch* bound_watch = nullptr);
[[nodiscard]] ResourceReport take_resource_report(const ResourceAccounting& accounting, const ProcessSensor& process);

}  // namespace bursar
