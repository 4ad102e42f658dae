#include <bursar/limiter/reclaim.h>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace bursar {
namespace detail {

std::shared_ptr<ReclaimList::Entry> ReclaimList::add(std::string name, OverdraftFigure overdraft,
                                                     ReclaimCallback reclaim) {
  auto entry = std::make_shared<Entry>();
  entry->name = std::move(name);
  entry->overdraft = std::move(overdraft);
  entry->reclaim = std::move(reclaim);
  const std::lock_guard lock(mutex_);
  entries_.push_back(entry);
  return entry;
}

void ReclaimList::remove(Entry& entry) noexcept {
  std::unique_lock lock(mutex_);
  entry.removed = true;
  std::erase_if(entries_, [&entry](const std::shared_ptr<Entry>& listed) { return listed.get() == &entry; });
  if (entry.running && entry.thread == std::this_thread::get_id()) return;
  returned_.wait(lock, [&entry] { return !entry.running; });
}

bool ReclaimList::empty() const noexcept {
  const std::lock_guard lock(mutex_);
  return entries_.empty();
}

std::uint64_t ReclaimList::reclaim(std::uint64_t wanted_bytes, const Listener& listener) {
  struct Asked {
    std::shared_ptr<Entry> entry;
    std::uint64_t overdraft_bytes = 0;
    std::size_t place = 0;  // in the order in which they were entered
  };
  std::vector<Asked> asked;
  {
    const std::lock_guard lock(mutex_);
    for (const std::shared_ptr<Entry>& entry : entries_) asked.push_back({.entry = entry, .place = asked.size()});
  }
  for (Asked& one : asked) {
    if (one.entry->overdraft) one.overdraft_bytes = call(*one.entry, one.entry->overdraft);
  }
  std::ranges::sort(asked, [](const Asked& left, const Asked& right) {
    if (left.overdraft_bytes != right.overdraft_bytes) return left.overdraft_bytes > right.overdraft_bytes;
    return left.place < right.place;
  });

  std::uint64_t freed_bytes = 0;
  for (const Asked& one : asked) {
    if (freed_bytes >= wanted_bytes) break;
    const std::uint64_t freed = call(
        *one.entry, [&one, still_wanted = wanted_bytes - freed_bytes] { return one.entry->reclaim(still_wanted); });
    if (freed == 0) continue;
    listener(one.entry->name, freed);
    if (__builtin_add_overflow(freed_bytes, freed, &freed_bytes)) break;
  }
  return freed_bytes;
}

template <typename Callback>
std::uint64_t ReclaimList::call(Entry& entry, const Callback& callback) {
  {
    const std::lock_guard lock(mutex_);
    if (entry.removed) return 0;
    entry.running = true;
    entry.thread = std::this_thread::get_id();
  }
  std::uint64_t bytes = 0;
  try {
    bytes = callback();
  } catch (...) {
    bytes = 0;
  }
  {
    const std::lock_guard lock(mutex_);
    entry.running = false;
  }
  returned_.notify_all();
  return bytes;
}

}  // namespace detail

ReclaimRegistration::ReclaimRegistration(std::shared_ptr<detail::ReclaimList> list,
                                         std::shared_ptr<detail::ReclaimList::Entry> entry) noexcept
    : list_(std::move(list)), entry_(std::move(entry)) {}

ReclaimRegistration& ReclaimRegistration::operator=(ReclaimRegistration&& other) noexcept {
  if (this == &other) return *this;
  end();
  list_ = std::move(other.list_);
  entry_ = std::move(other.entry_);
  return *this;
}

ReclaimRegistration::~ReclaimRegistration() {
  end();
}

void ReclaimRegistration::end() noexcept {
  if (!list_) return;
  list_->remove(*entry_);
  entry_.reset();
  list_.reset();
}

}  // namespace bursar
