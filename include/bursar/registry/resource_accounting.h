#pragma once

#include <bursar/bounds/bounds_verifier.h>
#include <bursar/bounds/memory_grant.h>
#include <bursar/limiter/memory_limiter.h>
#include <bursar/registry/bound_watch.h>
#include <bursar/registry/component_registry.h>
#include <bursar/registry/memory_settings.h>

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bursar {

enum class LogLevel : std::uint8_t { Info, Warning };

// Takes one line without its end. Called at the start, and later by the limiter's and the watch's threads and by whoever
// takes a report, several at a time.
using LogLine = std::function<void(LogLevel level, std::string_view line)>;

// Draws the tree of bounds for the log, in lines without their ends: bursar::report has render_bounds_tree().
using DrawBounds =
    std::function<std::vector<std::string>(const ComponentBounds& bounds, const std::optional<MemoryGrant>& grant)>;

// What the program decides about its accounting. The defaults are those of a server in production.
struct ResourceAccountingOptions {
  // What is given here is not looked for elsewhere.
  MemoryValues values;
  // The program's flags, where it has them.
  MemoryFlags flags;
  // Bursar's own programs do not start with a bad variable; a guest in somebody else's should take the default.
  BadVariable bad_variable = BadVariable::IsError;

  LogLine log;             // none: standard error, "bursar: warning: ..."
  DrawBounds draw_bounds;  // none: a line for each component

  // What is left empty here is filled in: mode and sensors, the ledger's live bytes, the thread's growth, the share of
  // bounds by which waits are fair, the limit where it may change, the log of events.
  MemoryLimiterOptions limiter;

  // By how much a component may exceed what it declared, and how often this is looked at; 0: only by
  // BoundWatch::check(), which every report calls.
  double breach_tolerance = 0.10;
  std::chrono::milliseconds breach_check_interval{250};

  // Where settings come from; unset: the process. `system_root` stands before "/proc" and "/sys".
  std::optional<MemorySources> sources;
  std::string system_root;
};

// A program's accounting, from one call at its start:
//
//   const auto accounting = bursar::ResourceAccounting::start(components.root());
//   if (!accounting) { std::fprintf(stderr, "%s\n", accounting.error().c_str()); return 2; }
//   accounting->limiter().wait_for_capacity();
//
// Settings come from code, flags, environment and control groups (resolve_memory_settings). The tree of bounds and the
// limit, with where it came from, are logged; the bounds are verified. Mode `strict` refuses to start where they do not
// fit or the limiter cannot measure; `permissive` warns and goes on; `disabled` does neither, and has no limiter. Where
// nobody sets a limit there is none either. In every mode components are watched for going beyond what they declared.
//
// Thread-safety: the const functions may be called from any thread; what they answer stays where it is when the object is
// moved. REQUIRES: a moved-from object is only destroyed or assigned to. The object outlives who waits for its limiter.
// A forked child has neither of its threads, and makes an accounting of its own.
// Allocates: yes. Blocks: `start` reads a few files; the end waits until its threads have done with what is under way.
class ResourceAccounting {
 public:
  // The error is one line that says what is wrong and what would be right.
  [[nodiscard]] static std::expected<ResourceAccounting, std::string> start(const ComponentRegistryHandle& components,
                                                                            ResourceAccountingOptions options = {});
  ResourceAccounting(ResourceAccounting&& other) noexcept;
  ResourceAccounting& operator=(ResourceAccounting&& other) noexcept;
  ~ResourceAccounting();

  // One that never limits where there is no limit, or it is turned off.
  [[nodiscard]] const MemoryLimiter& limiter() const noexcept;
  // None where nobody sets a limit, or the mode is `disabled`.
  [[nodiscard]] const std::optional<MemoryGrant>& grant() const noexcept;
  // None where there is no grant, or the bounds do not fit it.
  [[nodiscard]] const std::optional<VerifiedBounds>& verified_bounds() const noexcept;
  [[nodiscard]] const MemorySettings& settings() const noexcept;
  // All that was warned of at the start.
  [[nodiscard]] const std::vector<std::string>& warnings() const noexcept;
  [[nodiscard]] BoundWatch& bound_watch() const noexcept;
  [[nodiscard]] const ComponentRegistryHandle& components() const noexcept;

 private:
  class Parts;

  explicit ResourceAccounting(std::unique_ptr<Parts> parts) noexcept;

  std::unique_ptr<Parts> parts_;
};

}  // namespace bursar
