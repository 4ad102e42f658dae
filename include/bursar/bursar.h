#pragma once

// Every public header of the core.

#include <bursar/base/bytes.h>
#include <bursar/base/clock.h>
#include <bursar/base/file_reader.h>
#include <bursar/base/json_escape.h>
#include <bursar/base/in_quotes.h>
#include <bursar/base/utf8.h>
#include <bursar/bounds/bounds_verifier.h>
#include <bursar/bounds/component_bounds.h>
#include <bursar/bounds/component_name.h>
#include <bursar/bounds/container_layout.h>
#include <bursar/bounds/container_usage.h>
#include <bursar/bounds/memory_bounds.h>
#include <bursar/bounds/memory_bounds_builder.h>
#include <bursar/bounds/memory_grant.h>
#include <bursar/bounds/usage_expr.h>
#include <bursar/bounds/verifier_error.h>
#include <bursar/limiter/cgroup_files.h>
#include <bursar/limiter/detect_memory_limit.h>
#include <bursar/limiter/limiter_policy.h>
#include <bursar/limiter/limiter_state.h>
#include <bursar/limiter/memory_limit_environment.h>
#include <bursar/limiter/memory_limiter.h>
#include <bursar/limiter/memory_sensor.h>
#include <bursar/registry/component_registry.h>
#include <bursar/registry/registry_snapshot.h>
#include <bursar/alloc/tracking_allocator.h>
#include <bursar/alloc/tracking_resource.h>
#include <bursar/alloc/transfer.h>
#include <bursar/alloc/upstream.h>
#include <bursar/groups/group_following_promise.h>
#include <bursar/groups/resource_group_registry.h>
#include <bursar/groups/resource_group_token.h>
#include <bursar/groups/resource_stats.h>
#include <bursar/groups/tracked.h>
