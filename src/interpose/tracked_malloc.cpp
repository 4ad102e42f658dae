#include "interpose/tracked_malloc.h"

#include <bursar/alloc/transfer.h>

#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace bursar::interpose {

constinit std::atomic<Mode> mode{Mode::Undecided};

namespace {

bool transfer_tracked(void* block, ResourceGroupToken token) noexcept {
  return with_allocator([&](auto& allocator) { return allocator.transfer(block, token); }, [] { return false; });
}

bool is_switched_off() noexcept {
  const char* setting = std::getenv("BURSAR_TRACKING");
  if (setting == nullptr || std::string_view(setting) == "on") return false;
  if (std::string_view(setting) == "off") return true;
  constexpr std::string_view kWarning =
      "bursar: BURSAR_TRACKING is neither `on` nor `off`; allocations are tracked, as by default\n";
  [[maybe_unused]] const auto written = write(STDERR_FILENO, kWarning.data(), kWarning.size());
  return false;
}

}  // namespace

Mode decide_mode() noexcept {
  if (is_switched_off()) {
    mode.store(Mode::Off, std::memory_order_relaxed);
    return Mode::Off;
  }
  alloc::install_transfer(&transfer_tracked);
  // The trial may allocate by way of the dynamic linker, and come back here: sizes are asked for until it is over.
  mode.store(Mode::ByCall, std::memory_order_relaxed);
  const Mode decided = alloc::glibc_header_is_as_expected() ? Mode::ByHeader : Mode::ByCall;
  mode.store(decided, std::memory_order_relaxed);
  return decided;
}

}  // namespace bursar::interpose
