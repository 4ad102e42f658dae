#include <bursar/groups/resource_group_token.h>

#include <bursar/groups/thread_account.h>

#include "groups/group_peaks.h"
#include "groups/group_table.h"
#include "groups/ledger_reading.h"

namespace bursar {

using groups::group_table;

ResourceGroupToken ResourceGroupToken::current() noexcept {
  const groups::ThreadAccount* account = groups::this_thread_account();
  return account == nullptr ? root() : group_table().token_of(account->current());
}

std::string_view ResourceGroupToken::name() const noexcept {
  return group_table().name_of(*this);
}

ResourceStats ResourceGroupToken::stats() const noexcept {
  return group_table().is_current(*this) ? group_table().usage_of(index_) : ResourceStats();
}

// What groups had that had the number before is gone to the last byte.
std::uint64_t ResourceGroupToken::live_bytes() const noexcept {
  return group_table().is_current(*this) ? groups::sum_live_bytes(index_) : 0;
}

std::uint64_t ResourceGroupToken::peak_live_bytes() const noexcept {
  return group_table().is_current(*this) ? groups::group_peaks().look(index_) : 0;
}

}  // namespace bursar
