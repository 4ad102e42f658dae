#include <bursar/cpu/run_flag.h>

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// `struct rseq_cs`: version, flags, start, length, and where to go on after a break. The kernel checks, although it
// will never go there, that the four bytes before that place are the signature that glibc registered.
#if defined(__x86_64__)
asm(R"(
  .pushsection .text
  .byte 0x0f, 0xb9, 0x3d
  .long 0x53053053
bursar_after_break:
  ud2
  .popsection
)");
#elif defined(__aarch64__)
asm(R"(
  .pushsection .text
  .balign 4
  .inst 0xd428bc00
bursar_after_break:
  brk #0
  .popsection
)");
#endif
#if defined(__x86_64__) || defined(__aarch64__)
asm(R"(
  .pushsection .data.rel.ro, "aw"
  .balign 32
  .globl bursar_empty_sequence
  .hidden bursar_empty_sequence
  .type bursar_empty_sequence, %object
bursar_empty_sequence:
  .long 0, 0
  .quad bursar_after_break, 0, bursar_after_break
  .size bursar_empty_sequence, 32
  .popsection
)");
#else
const std::uint64_t bursar::cpu::internal::bursar_empty_sequence[4] = {};
#endif

namespace bursar::cpu {

bool run_flag_is_lowered_by_sleep() noexcept {
#if defined(__x86_64__) || defined(__aarch64__)
  if (!RunFlag::exists()) return false;
  // Twice: once could be chance.
  for (int i = 0; i < 2; ++i) {
    RunFlag::raise();
    const timespec shortest{.tv_sec = 0, .tv_nsec = 1};
    // By number: the library's function is a cancellation point.
    syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &shortest, nullptr);
    if (RunFlag::is_up()) {
      RunFlag::lower();
      return false;
    }
  }
  return true;
#else
  return false;
#endif
}

}  // namespace bursar::cpu
