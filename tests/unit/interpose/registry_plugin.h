#pragma once

#include <cstddef>
#include <cstdint>

// What the plug-in answers, of the registry and the ledger that it sees.
extern "C" {
[[gnu::visibility("default")]] std::uint32_t plugin_group_number(const char* name);
[[gnu::visibility("default")]] std::uint32_t plugin_current_group_number();
[[gnu::visibility("default")]] void plugin_charge(const char* name, std::uint64_t bytes);
[[gnu::visibility("default")]] void plugin_credit(const char* name, std::uint64_t bytes);
[[gnu::visibility("default")]] std::uint64_t plugin_live_bytes(const char* name);
[[gnu::visibility("default")]] void* plugin_allocate_in(const char* name, std::size_t bytes);
[[gnu::visibility("default")]] int plugin_is_tracked();
[[gnu::visibility("default")]] void* plugin_enter(const char* name);
[[gnu::visibility("default")]] void plugin_leave(void* guard);
}
