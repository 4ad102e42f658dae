#include <bursar/groups/resource_group_registry.h>

#include <bursar/groups/group_presence.h>
#include <bursar/groups/thread_account.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <new>
#include <optional>

#include "groups/group_table.h"

namespace bursar {
namespace {

using groups::group_table;

static_assert(ResourceGroupRegistry::kMaxGroups == groups::GroupTable::kMaxGroups);
static_assert(ResourceGroupRegistry::kMaxNameLength + 1 == groups::NameArena::kLargestBytes);

// Whether a block that `allocate` gives is counted; nothing where there is no memory for it. Called through volatile
// pointers, so that no compiler leaves the pair out.
template <typename Allocate, typename Release>
std::optional<bool> is_counted(const groups::ThreadAccount& account, Allocate* allocate, Release* release) noexcept {
  Allocate* const volatile opaque_allocate = allocate;
  Release* const volatile opaque_release = release;
  const groups::Counter& counter = account.cell(account.current()).allocated_objects;
  const std::uint64_t before = counter.load();
  void* block = nullptr;
  try {
    block = opaque_allocate(1);
  } catch (const std::bad_alloc&) {
    return std::nullopt;
  }
  if (block == nullptr) return std::nullopt;
  const bool counted = counter.load() != before;
  opaque_release(block);
  return counted;
}

enum class Installed : int { Unknown, No, Yes };
constinit std::atomic<Installed> installed{Installed::Unknown};

}  // namespace

ResourceGroupRegistry& ResourceGroupRegistry::global() noexcept {
  static constinit ResourceGroupRegistry registry;
  return registry;
}

ResourceGroupToken ResourceGroupRegistry::register_resource_group(std::string_view name) noexcept {
  return group_table().add(name);
}

bool ResourceGroupRegistry::retire(ResourceGroupToken token) noexcept {
  return group_table().retire(token);
}

void ResourceGroupRegistry::visit(VisitFunction function, void* context) const {
  std::array<groups::GroupTable::Usage, groups::kGroupsPerPage> usage;
  char name_buffer[groups::NameArena::kLargestBytes];
  for (std::size_t page = 0; page * groups::kGroupsPerPage < group_table().first_unused(); ++page) {
    group_table().usage_of_page(page, usage);
    for (std::size_t i = 0; i < groups::kGroupsPerPage; ++i) {
      const std::size_t group = page * groups::kGroupsPerPage + i;
      if (group >= group_table().first_unused()) break;
      const std::string_view name = group_table().copy_name(usage[i].group, name_buffer);
      if (!name.empty()) function(context, name, usage[i].stats);
    }
  }
}

ResourceStatsSnapshot ResourceGroupRegistry::totals() const noexcept {
  groups::PageSums sums;
  ResourceStatsSnapshot totals;
  for (std::size_t page = 0; page * groups::kGroupsPerPage < group_table().first_unused(); ++page) {
    groups::sum_page(page, sums);
    for (const groups::GroupSums& group : sums) totals.merge(group.usage);
  }
  return totals;
}

ResourceStatsSnapshot ResourceGroupRegistry::retired_totals() const noexcept {
  return group_table().retired();
}
std::uint64_t ResourceGroupRegistry::stale_tokens() const noexcept {
  return group_table().stale_tokens();
}
std::uint64_t ResourceGroupRegistry::rejected_groups() const noexcept {
  return group_table().rejected();
}
std::uint64_t ResourceGroupRegistry::foreign_blocks() const noexcept {
  return groups::foreign_blocks();
}

bool ResourceGroupRegistry::allocator_installed() noexcept {
  const Installed known = installed.load(std::memory_order_relaxed);
  if (known != Installed::Unknown) return known == Installed::Yes;
  // Not remembered where it cannot be tried out: without memory, or on a thread that is past its end.
  const groups::ThreadAccount* account = groups::this_thread_account();
  if (account == nullptr) return false;
  const std::optional<bool> c = is_counted<void*(std::size_t), void(void*)>(*account, &std::malloc, &std::free);
  const std::optional<bool> cpp =
      is_counted<void*(std::size_t), void(void*)>(*account, &::operator new, &::operator delete);
  if (!c.has_value() || !cpp.has_value()) return false;
  const bool answer = *c && *cpp;
  installed.store(answer ? Installed::Yes : Installed::No, std::memory_order_relaxed);
  return answer;
}

}  // namespace bursar
