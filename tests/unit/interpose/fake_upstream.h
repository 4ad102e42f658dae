#pragma once

#include <cstdint>

// The library `fake_upstream.cpp`, where it is preloaded; null elsewhere. It hands out glibc's blocks, allocates by itself
// the first time that each of its functions is called, and fails where it is told to.
extern "C" {
// The call with this number from now on, counted from 1, finds no memory; 0 fails none.
[[gnu::weak]] void fake_upstream_fail_at(std::uint64_t call) noexcept;
// Calls since then.
[[gnu::weak]] std::uint64_t fake_upstream_calls() noexcept;
[[gnu::weak]] std::int64_t fake_upstream_live_blocks() noexcept;
}
