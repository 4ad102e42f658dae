#pragma once

namespace bursar::testing {

// Lets nothing be known of the block, so that no compiler leaves out an allocation and its release.
template <typename T>
[[gnu::noinline]] T* escape(T* block) {
  asm volatile("" : "+r"(block) : : "memory");
  return block;
}

}  // namespace bursar::testing
