#include "interpose/tracked_malloc.h"

#include <bursar/alloc/transfer.h>

#include <dlfcn.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string_view>

namespace bursar::interpose {

constinit std::atomic<Mode> mode{Mode::Undecided};

namespace {

// Good in every mode.
void* allocate_by_mode(std::size_t bytes) noexcept {
  return with_allocator([=](auto&& allocator) { return allocator.allocate(bytes); });
}
void deallocate_by_mode(void* block) noexcept {
  with_allocator([=](auto&& allocator) { allocator.deallocate(block); });
}

template <auto& kAllocator>
void* allocate_by(std::size_t bytes) noexcept {
  return kAllocator.allocate(bytes);
}
template <auto& kAllocator>
void deallocate_by(void* block) noexcept {
  kAllocator.deallocate(block);
}

void set_targets(void* (*allocate)(std::size_t) noexcept, void (*deallocate)(void*) noexcept) noexcept {
  allocate_target.store(allocate, std::memory_order_release);
  deallocate_target.store(deallocate, std::memory_order_release);
}

void aim(Mode decided) noexcept {
  switch (decided) {
    case Mode::GlibcByCall:
      return set_targets(&allocate_by<glibc_by_call>, &deallocate_by<glibc_by_call>);
    case Mode::Next:
      return set_targets(&allocate_by<next>, &deallocate_by<next>);
    case Mode::OffGlibc:
      if (alloc::BootstrapArena::is_untouched()) return set_targets(&__libc_malloc, &__libc_free);
      return;
    case Mode::GlibcByHeader:
    case Mode::OffNext:
    case Mode::Undecided:
    case Mode::Deciding:
      return;
  }
}

bool transfer_tracked(void* block, ResourceGroupToken token) noexcept {
  return with_allocator([=](auto&& allocator) {
    if constexpr (requires { allocator.transfer(block, token); }) {
      return allocator.transfer(block, token);
    } else {
      return false;
    }
  });
}

void warn(std::string_view line) noexcept {
  [[maybe_unused]] const auto written = write(STDERR_FILENO, line.data(), line.size());
}

bool is_switched_off() noexcept {
  const char* setting = std::getenv("BURSAR_TRACKING");
  if (setting == nullptr || std::string_view(setting) == "on") return false;
  if (std::string_view(setting) == "off") return true;
  warn("bursar: BURSAR_TRACKING is neither `on` nor `off`; allocations are tracked, as by default\n");
  return false;
}

// Whether the program's calls of malloc come here. Where the executable brings the shims itself, or another allocator was
// preloaded before, a preloaded copy of them stands behind: it is what another calls, and counts nothing.
bool stands_in_front() noexcept {
  Dl_info front{};
  Dl_info own{};
  return dladdr(dlsym(RTLD_DEFAULT, "malloc"), &front) == 0 ||
         dladdr(reinterpret_cast<void*>(&decide_mode), &own) == 0 || front.dli_fbase == own.dli_fbase;
}

Mode best_mode() noexcept {
  const alloc::NextAllocator found = alloc::find_next_allocator();
  if (found == alloc::NextAllocator::Unknown) {
    warn("bursar: the allocator that comes next lacks a function of malloc's family; glibc's is used in its place\n");
  }
  if (!stands_in_front() || is_switched_off())
    return found == alloc::NextAllocator::Complete ? Mode::OffNext : Mode::OffGlibc;
  alloc::install_transfer(&transfer_tracked);
  if (found == alloc::NextAllocator::Complete) return Mode::Next;
  return alloc::glibc_header_is_as_expected() ? Mode::GlibcByHeader : Mode::GlibcByCall;
}

}  // namespace

constinit std::atomic<void* (*)(std::size_t) noexcept> allocate_target{&allocate_by_mode};
constinit std::atomic<void (*)(void*) noexcept> deallocate_target{&deallocate_by_mode};

void decide_mode() noexcept {
  Mode undecided = Mode::Undecided;
  if (!mode.compare_exchange_strong(undecided, Mode::Deciding, std::memory_order_relaxed)) return;
  const int saved_errno = errno;
  const Mode decided = best_mode();
  mode.store(decided, std::memory_order_release);
  aim(decided);
  errno = saved_errno;
}

}  // namespace bursar::interpose
