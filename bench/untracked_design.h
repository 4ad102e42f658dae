#pragma once

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdlib>

#include "thread_time.h"

namespace bursar::bench {

// No tracking at all.
struct Design {
  struct Group {};
  [[nodiscard]] static Group group(const char* /*name*/) noexcept { return {}; }

  // What measuring a stretch of CPU time costs that does not track anything: two reads of the kernel's clock.
  class [[nodiscard]] Guard {
   public:
    [[nodiscard]] explicit Guard(Group /*group*/) noexcept { benchmark::DoNotOptimize(thread_cpu_nanos()); }
    ~Guard() { benchmark::DoNotOptimize(thread_cpu_nanos()); }
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;
  };

  [[nodiscard]] static void* allocate(std::size_t bytes) noexcept { return std::malloc(bytes); }
  static void release(void* block, std::size_t /*bytes*/) noexcept { std::free(block); }
  [[nodiscard]] static void* allocate_zeroed(std::size_t bytes) noexcept { return std::calloc(1, bytes); }
  [[nodiscard]] static void* reallocate(void* block, std::size_t /*old_bytes*/, std::size_t bytes) noexcept {
    return std::realloc(block, bytes);
  }
};

}  // namespace bursar::bench
