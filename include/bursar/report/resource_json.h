#pragma once

#include <bursar/bounds/component_bounds.h>
#include <bursar/report/process_readings.h>
#include <bursar/report/resource_report.h>

#include <optional>
#include <string>

namespace bursar {

// The body of `GET /bounds`: every bound that was declared, as the expression that it is, sorted by name.
//
//   [{"name": "root.a.b.min", "expr": {"type": "Product", "values": [
//       {"type": "Config", "name": "contexts", "value": 1000}, {"type": "StructSize", "name": "Context", "value":
//       64}]}}]
//
// Thread-safety: yes. Allocates: yes. Blocks: no.
[[nodiscard]] std::string bounds_json(const ComponentBounds& bounds);

// The body of `GET /resources`. Amounts are in bytes, times in seconds; what is not known is null.
//
//   time          seconds since 1970
//   tracking      allocator_installed, foreign_blocks, stale_tokens, rejected_groups
//   limiter       null, or mode, state, sheds, backoff_seconds, usage_bytes, effective_limit_bytes, waits,
//                 failed_readings, looks, and `events`, the last 256, oldest first: sequence, time, kind
//                 ("state_changed", "purged", ...), before, state, usage_bytes, limit_bytes, backoff_seconds,
//                 freed_bytes, message
//   grant         null, or initial_limit_bytes, slop_factor, effective_limit_bytes
//   cpu           process_seconds, attributed_seconds, unattributed_seconds; `process_share`, what the kernel says of
//                 the process in the time that the groups' cpu_share is of, and `share_window_seconds`, how long that
//                 was; `clock`, how it is measured, and `clock_reason`, why so
//   ladder        the memory from what was declared to what is allowed, rung by rung: `declared`
//                 (minimum_required_bytes, firm_limit_bytes), `live_bytes`, `allocator` (in_use_bytes,
//                 footprint_bytes), `resident_bytes`, `cgroup` (working_set_bytes, usage_bytes), `limit`
//                 (cgroup_bytes, granted_bytes, effective_bytes). `unexplained` is what lies between neighbours:
//                 `allocator_overhead_bytes` (in use by the allocator's account, but live in no group),
//                 `allocator_unused_bytes` (held and not in use), `beyond_allocator_bytes` (resident and not the
//                 allocator's: code, stacks, mappings; negative where the allocator holds pages that nobody has
//                 touched), `unattributed_bytes` (resident less live)
//   root          the tree of components. Each has name, full_name, subcomponents, and `own` and `total`, which is
//                 with all below. Both have minimum_required_bytes, firm_limit_bytes and the figures of a group;
//                 `own` has nulls for these where the component has no group. The firm limit is what may be used on
//                 top of the minimum in `own`, where `limit_bytes` is both, and includes the minimum in `total`.
//                 `own` also has peak_live_bytes, the most that were live at once, and `entries`, how often a thread
//                 came into the group.
//                 `bound_breaches` in `own` is null where it declared nothing or nobody watches, else `count`,
//                 whether it is in one `now`, and `worst_live_bytes`
//   other_groups  those that are no component's, with full_name, the figures of a group, peak_live_bytes and entries
//   retired       what the groups did that are gone: the figures of a group
//
// The figures of a group: live_bytes, live_objects, allocated_bytes, allocated_objects, deallocated_bytes,
// deallocated_objects, cpu_seconds, and but for `retired` cpu_share: CPU seconds a second of late, where 1 is a whole
// core; null without `earlier`.
//
// Thread-safety: yes. Allocates: yes. Blocks: no.
[[nodiscard]] std::string resources_json(const ResourceReport& report, const std::optional<AllocatorReading>& allocator,
                                         const EarlierReport* earlier = nullptr);

}  // namespace bursar
