#include <bursar/base/bytes.h>
#include <bursar/base/in_quotes.h>
#include <bursar/groups/resource_group_token.h>
#include <bursar/registry/bound_watch.h>

#include <algorithm>
#include <utility>

namespace bursar {

std::string describe(const BoundBreach& breach) {
  const std::uint64_t excess = breach.live_bytes > breach.limit_bytes ? breach.live_bytes - breach.limit_bytes : 0;
  return "component " + in_quotes(breach.component) + " holds " + format_bytes(breach.live_bytes) + ", " +
         format_bytes(excess) + " more than the " + format_bytes(breach.limit_bytes) + " that it declared";
}

BoundWatch::BoundWatch(ComponentRegistryHandle components, Options options)
    : components_(std::move(components)), options_(std::move(options)) {
  check();
}

void BoundWatch::check() {
  std::vector<Tale> tales;
  {
    Limits limits;
    const std::lock_guard lock(mutex_);
    // Taken under the lock: figures of an older look must not follow those of a newer one.
    const RegistrySnapshot snapshot = components_.snapshot();
    for (const ComponentSnapshot& component : snapshot.root.subcomponents) look_at(component, tales, limits);
    const std::unique_lock exchange(limits_mutex_);
    limits_.swap(limits);
  }
  if (!options_.on_breach) return;
  for (const Tale& tale : tales) options_.on_breach(tale.breach, tale.untold);
}

std::map<std::string, BoundStanding, std::less<>> BoundWatch::standings() const {
  std::map<std::string, BoundStanding, std::less<>> standings;
  const std::lock_guard lock(mutex_);
  for (const auto& [name, entry] : entries_) standings.emplace(name, entry.standing);
  return standings;
}

std::optional<double> BoundWatch::share_of_current_group() const {
  const ResourceGroupToken group = ResourceGroupToken::current();
  std::uint64_t limit_bytes = 0;
  {
    const std::shared_lock lock(limits_mutex_);
    const auto found = limits_.find(group.name());
    if (found == limits_.end()) return std::nullopt;
    limit_bytes = found->second;
  }
  return static_cast<double>(group.live_bytes()) / static_cast<double>(limit_bytes);
}

void BoundWatch::look_at(const ComponentSnapshot& component, std::vector<Tale>& tales, Limits& limits) {
  for (const ComponentSnapshot& subcomponent : component.subcomponents) look_at(subcomponent, tales, limits);
  const auto known = entries_.find(component.full_name);
  if (component.limit_bytes == 0) {
    // Bounds that were taken back: what was counted stays.
    if (known != entries_.end()) known->second.standing.in_breach = false;
    return;
  }
  limits.emplace(component.full_name, component.limit_bytes);
  judge(component, known != entries_.end() ? known->second : entries_[component.full_name], tales);
}

void BoundWatch::judge(const ComponentSnapshot& component, Entry& entry, std::vector<Tale>& tales) {
  BoundStanding& standing = entry.standing;
  standing.limit_bytes = component.limit_bytes;
  const std::uint64_t live = component.usage ? component.usage->live_bytes() : 0;
  const std::uint64_t peak = std::max(live, component.peak_live_bytes.value_or(0));
  const std::uint64_t new_peak = peak > entry.seen_peak_bytes ? peak : 0;
  entry.seen_peak_bytes = std::max(entry.seen_peak_bytes, peak);

  const auto beyond = [&](std::uint64_t bytes) {
    return static_cast<double>(bytes) > static_cast<double>(standing.limit_bytes) * (1.0 + options_.tolerance);
  };
  const std::uint64_t worst = std::max(live, new_peak);
  const bool begins = !standing.in_breach && beyond(worst);
  if (standing.in_breach || begins) standing.worst_live_bytes = std::max(standing.worst_live_bytes, worst);
  standing.in_breach = (standing.in_breach || begins) && live > standing.limit_bytes;
  if (!begins) return;

  ++standing.breaches;
  const Clock::TimePoint now = options_.clock.get().now();
  if (entry.told_at && now - *entry.told_at < options_.tell_interval) {
    ++entry.untold;
    return;
  }
  entry.told_at = now;
  tales.push_back(
      {.breach = {.component = component.full_name, .limit_bytes = standing.limit_bytes, .live_bytes = worst},
       .untold = std::exchange(entry.untold, 0)});
}

}  // namespace bursar
