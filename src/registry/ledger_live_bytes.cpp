#include "registry/ledger_live_bytes.h"

#include "groups/group_table.h"
#include "groups/ledger_reading.h"

namespace bursar {

std::uint64_t ledger_live_bytes() noexcept {
  return groups::sum_all_live_bytes(groups::group_table().first_unused());
}

}  // namespace bursar
