// Says which clock a process chooses whose environment is the caller's.

#include <cstdio>

#include <bursar/cpu/clock_choice.h>

int main() {
  for (int i = 0; i < 2; ++i) static_cast<void>(bursar::cpu::clock_choice());
  const bursar::cpu::ClockChoice choice = bursar::cpu::clock_choice();
  const std::string_view name = bursar::cpu::name_of(choice.kind);
  std::printf("%.*s: %.*s\n", static_cast<int>(name.size()), name.data(), static_cast<int>(choice.reason.size()),
              choice.reason.data());
}
