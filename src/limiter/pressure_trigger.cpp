#include <bursar/limiter/detect_memory_limit.h>
#include <bursar/limiter/pressure_trigger.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

namespace bursar {
namespace {

// The kernel lets a process without privileges choose windows that are multiples of 2 s only.
constexpr std::string_view kTrigger = "some 50000 2000000";  // us of stall, us of window

std::unexpected<std::string> failed(const char* action, const std::string& file) {
  return std::unexpected("cannot " + std::string(action) + " " + file + ": " +
                         std::error_code(errno, std::generic_category()).message());
}

}  // namespace

std::expected<PressureTrigger, std::string> PressureTrigger::open(const std::string& system_root) {
  if (const auto directory = detect_memory_limit({.system_root = system_root}).unified_directory) {
    if (auto trigger = open_file(*directory + "/memory.pressure")) return trigger;
  }
  return open_file(system_root + "/proc/pressure/memory");
}

std::expected<PressureTrigger, std::string> PressureTrigger::open_file(const std::string& file) {
  PressureTrigger trigger(::open(file.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (trigger.descriptor_ < 0) return failed("open", file);
  // With its terminating zero, as the kernel asks.
  if (::write(trigger.descriptor_, kTrigger.data(), kTrigger.size() + 1) < 0) return failed("set a trigger in", file);
  return trigger;
}

PressureTrigger::PressureTrigger(PressureTrigger&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

PressureTrigger& PressureTrigger::operator=(PressureTrigger&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

PressureTrigger::~PressureTrigger() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace bursar
