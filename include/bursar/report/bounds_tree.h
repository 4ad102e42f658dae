#pragma once

#include <bursar/bounds/component_bounds.h>
#include <bursar/bounds/memory_grant.h>
#include <bursar/report/table.h>

#include <optional>
#include <string>
#include <vector>

namespace bursar {

// The tree of declared bounds for the log at start-up, in lines without their ends: for each component its own minimum
// and its own firm limit, and the firm limit's share of the grant's effective limit; then the total and the grant.
//
// Thread-safety: yes. Allocates: the lines. Blocks: no.
[[nodiscard]] std::vector<std::string> render_bounds_tree(const ComponentBounds& bounds,
                                                          const std::optional<MemoryGrant>& grant,
                                                          const TableOptions& options = {});

}  // namespace bursar
