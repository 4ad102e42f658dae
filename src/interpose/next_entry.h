#pragma once

#include <dlfcn.h>

#include <atomic>

namespace bursar::interpose {

// A function of the allocator that stands behind ours, by its name, found when it is first needed.
//
// Thread-safety: any thread. Allocates: the dynamic linker may, where there is no such function. Blocks: as dlsym, once.
template <typename Function>
class NextEntry {
 public:
  constexpr explicit NextEntry(const char* name) noexcept : name_(name) {}

  // Null where no library behind has it.
  [[nodiscard]] Function* find() noexcept {
    // Relaxed: what stands behind a function of a loaded library was there before the library's first user.
    Function* found = function_.load(std::memory_order_relaxed);
    if (found == nullptr) [[unlikely]] {
      found = reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name_));
      function_.store(found, std::memory_order_relaxed);
    }
    return found;
  }

 private:
  const char* name_;
  std::atomic<Function*> function_{nullptr};
};

}  // namespace bursar::interpose
