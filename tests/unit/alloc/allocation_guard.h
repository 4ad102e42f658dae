#pragma once

namespace bursar::testing {

// While one lives, any allocation or release by this thread ends the process with a message. For executables that link
// `allocation_guard.cpp`, whose malloc and operator new these are.
class AllocationGuard {
 public:
  AllocationGuard() noexcept;
  ~AllocationGuard();
  AllocationGuard(const AllocationGuard&) = delete;
  AllocationGuard& operator=(const AllocationGuard&) = delete;
};

}  // namespace bursar::testing
