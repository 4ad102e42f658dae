#pragma once

#include <expected>
#include <string>

namespace bursar {

// The kernel's word that tasks stall for lack of memory, as an event: pressure stall information, as in the kernel's
// Documentation/accounting/psi.rst. It comes after 50 ms of stalls in a window of 2 s, once a window at most, so it
// stands beside sampling and not instead of it.
//
// Thread-safety: yes. Allocates: its errors' text. Blocks: no.
class PressureTrigger {
 public:
  // Of the process's own control group (version 2), else of the whole machine. The error is one line that names the
  // file and says what is wrong; a kernel without pressure stall information is one.
  [[nodiscard]] static std::expected<PressureTrigger, std::string> open(const std::string& system_root = "");

  // Of one file: a group's memory.pressure, or /proc/pressure/memory.
  [[nodiscard]] static std::expected<PressureTrigger, std::string> open_file(const std::string& file);

  // Whatever poll(2) says POLLPRI for. It is owned, and closed at the end.
  [[nodiscard]] static PressureTrigger adopt(int descriptor) noexcept { return PressureTrigger(descriptor); }

  PressureTrigger(PressureTrigger&& other) noexcept;
  PressureTrigger& operator=(PressureTrigger&& other) noexcept;
  ~PressureTrigger();

  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

 private:
  explicit PressureTrigger(int descriptor) noexcept : descriptor_(descriptor) {}

  int descriptor_;
};

}  // namespace bursar
