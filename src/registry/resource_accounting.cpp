#include <bursar/base/bytes.h>
#include <bursar/base/in_quotes.h>
#include <bursar/groups/resource_group_registry.h>
#include <bursar/groups/thread_account.h>
#include <bursar/limiter/cgroup_sensor.h>
#include <bursar/registry/resource_accounting.h>

#include <unistd.h>

#include <exception>
#include <system_error>
#include <utility>

#include "registry/ledger_live_bytes.h"
#include "registry/periodic_check.h"

namespace bursar {
namespace {

void log_to_standard_error(LogLevel level, std::string_view line) {
  std::string text(level == LogLevel::Warning ? "bursar: warning: " : "bursar: ");
  text.append(line).append("\n");
  // Where nobody reads it there is nobody to tell.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
}

void draw_component(const std::string& name, const ComponentBounds& bounds, std::vector<std::string>& lines) {
  if (!name.empty() && bounds.own_limit_bytes() != 0) {
    lines.push_back(name + ": minimum " + format_bytes(bounds.own_minimum_required_bytes()) + ", firm " +
                    format_bytes(bounds.own_limit_bytes()));
  }
  for (const auto& [child, child_bounds] : bounds.subcomponents()) {
    draw_component(name.empty() ? child : name + '.' + child, child_bounds, lines);
  }
}

std::vector<std::string> draw_plainly(const ComponentBounds& bounds, const std::optional<MemoryGrant>& grant) {
  std::vector<std::string> lines;
  draw_component("", bounds, lines);
  lines.push_back("total: minimum " + format_bytes(bounds.total_minimum_required_bytes()) + ", firm " +
                  format_bytes(bounds.total_firm_limit_bytes()) +
                  (grant ? ", granted " + format_bytes(grant->effective_limit_bytes()) : std::string()));
  return lines;
}

// Events come in bursts where a process stays near its limit; the log has so many a second, and the number of the others.
class EventLog {
 public:
  explicit EventLog(LogLine log) : log_(std::move(log)) {}

  void tell(const LimiterEvent& event) {
    if (event.time - begin_ >= std::chrono::seconds(1)) {
      begin_ = event.time;
      told_ = 0;
    }
    if (told_ == kPerSecond) {
      ++untold_;
      return;
    }
    ++told_;
    std::string line = "memory limiter: " + describe(event);
    if (untold_ > 0) line += " (and " + std::to_string(std::exchange(untold_, 0)) + " events before)";
    const bool calm = event.kind == LimiterEventKind::Purged || event.kind == LimiterEventKind::Reclaimed ||
                      event.kind == LimiterEventKind::SensorRecovered || event.kind == LimiterEventKind::Notice ||
                      (event.kind == LimiterEventKind::StateChanged && event.state == LimiterState::Normal);
    log_(calm ? LogLevel::Info : LogLevel::Warning, line);
  }

 private:
  static constexpr unsigned kPerSecond = 4;

  LogLine log_;
  Clock::TimePoint begin_;
  unsigned told_ = 0;
  std::uint64_t untold_ = 0;
};

}  // namespace

class ResourceAccounting::Parts {
 public:
  Parts(const ComponentRegistryHandle& components, ResourceAccountingOptions options, MemorySources sources,
        MemorySettings settings)
      : components_(components),
        options_(std::move(options)),
        sources_(std::move(sources)),
        settings_(std::move(settings)),
        watch_(std::make_shared<BoundWatch>(
            components,
            BoundWatch::Options{.tolerance = options_.breach_tolerance,
                                .on_breach = [log = options_.log](const BoundBreach& breach, std::uint64_t untold) {
                                  std::string line = describe(breach);
                                  if (untold > 0) {
                                    line += " (and " + std::to_string(untold) + " times before)";
                                  }
                                  log(LogLevel::Warning, line);
                                }})) {}

  std::expected<void, std::string> start() {
    for (const std::string& warning : std::exchange(settings_.warnings, {})) warn(warning);
    if (options_.breach_check_interval.count() > 0) start_watching();
    if (settings_.mode == MemoryMode::Disabled) {
      info("memory mode disabled: bounds are not verified, the limiter is off");
      return {};
    }
    if (!settings_.limit_bytes) {
      log_tree();
      info("no memory limit from --memory-limit, BURSAR_MEMORY_LIMIT or a control group: going on without a limiter");
      return {};
    }
    const auto grant = MemoryGrant::with_slop_factor(*settings_.limit_bytes, settings_.slop_factor);
    if (!grant) return std::unexpected(settings_.limit_source + ": " + grant.error().message);
    grant_ = *grant;
    info("memory limit " + format_bytes(grant->initial_limit_bytes()) + " from " + settings_.limit_source + "; " +
         format_bytes(grant->effective_limit_bytes()) + " of it are granted, the slop factor being " + slop_text());
    log_tree();
    if (auto fits = verify(); !fits) return fits;
    return start_limiter();
  }

  ComponentRegistryHandle components_;
  ResourceAccountingOptions options_;
  MemorySources sources_;
  MemorySettings settings_;
  std::vector<std::string> warnings_;
  std::optional<MemoryGrant> grant_;
  std::optional<VerifiedBounds> verified_;
  std::shared_ptr<BoundWatch> watch_;
  std::optional<PeriodicCheck> check_;
  MemoryLimiter limiter_ = MemoryLimiter::noop();

 private:
  void info(std::string_view line) const { options_.log(LogLevel::Info, line); }

  void warn(const std::string& line) {
    options_.log(LogLevel::Warning, line);
    warnings_.push_back(line);
  }

  // What is wrong prevents the start in strict mode, and is warned of otherwise.
  std::expected<void, std::string> complain(const std::string& message) {
    if (settings_.mode == MemoryMode::Strict) return std::unexpected(message);
    warn(message + "; going on, since the memory mode is permissive");
    return {};
  }

  [[nodiscard]] std::string slop_text() const {
    std::string text = std::to_string(settings_.slop_factor);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.pop_back();
    return text;
  }

  void log_tree() const {
    info("memory bounds of the components, each one's own:");
    for (const std::string& line : options_.draw_bounds(components_.as_bounds(), grant_)) info("  " + line);
  }

  void start_watching() {
    try {
      check_.emplace(options_.breach_check_interval, [watch = watch_] {
        try {
          watch->check();
        } catch (const std::exception&) {
          // No memory for a look: the next one may have it.
          return;
        }
      });
    } catch (const std::system_error& error) {
      warn("no thread to watch the components' bounds: " + error.code().message() + "; reports alone look at them");
    }
  }

  std::expected<void, std::string> verify() {
    auto verified = components_.verify_bounds(*grant_);
    if (!verified) return complain(verified.error().message());
    verified_ = std::move(*verified);
    info("the bounds fit: at least " + format_bytes(verified_->total_minimum_required_bytes()) + ", at most " +
         format_bytes(verified_->total_firm_limit_bytes()) + ", of " +
         format_bytes(verified_->total_available_bytes()) + " granted");
    return {};
  }

  std::expected<void, std::string> start_limiter() {
    if (settings_.limiter == LimiterMode::Off) {
      info("the limiter is off");
      return {};
    }
    MemoryLimiterOptions options = std::exchange(options_.limiter, {});
    options.mode = settings_.limiter;
    if (options.system_root.empty()) options.system_root = options_.system_root;
    if (options.usage_sensors.empty()) add_usage_sensors(options);
    // Without tracked allocations the books know neither what is live nor who grows.
    if (ResourceGroupRegistry::allocator_installed()) {
      if (!options.live_bytes) options.live_bytes = MemorySensor("the ledger's live bytes", &ledger_live_bytes);
      if (options.thread_growth == nullptr) options.thread_growth = &groups::bytes_allocated_by_this_thread;
      if (!options.bound_share) options.bound_share = [watch = watch_] { return watch->share_of_current_group(); };
    }
    if (!options.effective_limit && settings_.limit_group) options.effective_limit = changing_limit();
    if (!options.on_event) {
      options.on_event = [log = std::make_shared<EventLog>(options_.log)](const LimiterEvent& event) {
        log->tell(event);
      };
    }
    auto limiter = MemoryLimiter::create(*grant_, std::move(options));
    if (!limiter) return complain("no memory limiter: " + limiter.error().message());
    limiter_ = std::move(*limiter);
    return {};
  }

  // A limit that was given concerns this process; one of a control group, all that lies in it.
  void add_usage_sensors(MemoryLimiterOptions& options) {
    auto resident = resident_size_sensor(options.system_root);
    if (resident) {
      options.usage_sensors.push_back(*std::move(resident));
    } else {
      warn("the resident size cannot be measured: " + resident.error());
    }
    if (!settings_.limit_group) return;
    auto working_set = cgroup_working_set_sensor(*settings_.limit_group);
    if (working_set) {
      options.usage_sensors.push_back(*std::move(working_set));
    } else {
      warn("the control group's memory cannot be measured: " + working_set.error());
    }
  }

  // A control group's limit may be rewritten while the program runs.
  [[nodiscard]] MemorySensor changing_limit() const {
    return MemorySensor("the control groups", [detect = sources_.detect, slop = settings_.slop_factor]() {
      const DetectedMemoryLimit detected = detect();
      std::optional<std::uint64_t> effective;
      if (!detected.hard) return effective;
      const auto grant = MemoryGrant::with_slop_factor(detected.hard->bytes, slop);
      if (grant) effective = grant->effective_limit_bytes();
      return effective;
    });
  }
};

std::expected<ResourceAccounting, std::string> ResourceAccounting::start(const ComponentRegistryHandle& components,
                                                                         ResourceAccountingOptions options) {
  if (!options.log) options.log = &log_to_standard_error;
  if (!options.draw_bounds) options.draw_bounds = &draw_plainly;
  if (!(options.breach_tolerance >= 0.0)) {
    return std::unexpected("the tolerance of breached bounds is " + std::to_string(options.breach_tolerance) +
                           "; it should be 0 or more");
  }
  MemorySources sources = options.sources ? *options.sources : MemorySources::of_process(options.system_root);
  auto settings = resolve_memory_settings(options.values, options.flags, sources, options.bad_variable);
  if (!settings) return std::unexpected(settings.error());
  auto parts = std::make_unique<Parts>(components, std::move(options), std::move(sources), *std::move(settings));
  if (auto started = parts->start(); !started) return std::unexpected(started.error());
  return ResourceAccounting(std::move(parts));
}

ResourceAccounting::ResourceAccounting(std::unique_ptr<Parts> parts) noexcept : parts_(std::move(parts)) {}
ResourceAccounting::ResourceAccounting(ResourceAccounting&& other) noexcept = default;
ResourceAccounting& ResourceAccounting::operator=(ResourceAccounting&& other) noexcept = default;
ResourceAccounting::~ResourceAccounting() = default;

const MemoryLimiter& ResourceAccounting::limiter() const noexcept {
  return parts_->limiter_;
}

const std::optional<MemoryGrant>& ResourceAccounting::grant() const noexcept {
  return parts_->grant_;
}

const std::optional<VerifiedBounds>& ResourceAccounting::verified_bounds() const noexcept {
  return parts_->verified_;
}

const MemorySettings& ResourceAccounting::settings() const noexcept {
  return parts_->settings_;
}

const std::vector<std::string>& ResourceAccounting::warnings() const noexcept {
  return parts_->warnings_;
}

BoundWatch& ResourceAccounting::bound_watch() const noexcept {
  return *parts_->watch_;
}

const ComponentRegistryHandle& ResourceAccounting::components() const noexcept {
  return parts_->components_;
}

}  // namespace bursar
