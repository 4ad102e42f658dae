#include <bursar/cpu/tick_counter.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace bursar::cpu {

bool ticks_are_usable() noexcept {
#if defined(__x86_64__)
  constexpr unsigned kPowerManagementLeaf = 0x80000007;
  constexpr unsigned kInvariantCounter = 1U << 8;
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  return __get_cpuid(kPowerManagementLeaf, &eax, &ebx, &ecx, &edx) != 0 && (edx & kInvariantCounter) != 0;
#elif defined(__aarch64__)
  return true;  // the architecture promises it of the generic timer
#else
  return false;
#endif
}

}  // namespace bursar::cpu
