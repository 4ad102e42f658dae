#include <bursar/limiter/allocator_purge.h>

#include <dlfcn.h>

#include <cstddef>

// What the program contains, even where it is linked statically; what came by dlopen is asked for by name.
extern "C" {
[[gnu::weak]] int malloc_trim(std::size_t pad);
[[gnu::weak]] int mallctl(const char* name, void* old_value, std::size_t* old_length, void* new_value,
                          std::size_t new_length);
[[gnu::weak]] void mi_collect(bool force);
// The name is tcmalloc's.
[[gnu::weak]] void MallocExtension_ReleaseFreeMemory();  // NOLINT(readability-identifier-naming)
}

namespace bursar {
namespace {

template <typename Function>
Function* found(Function* linked, const char* name) noexcept {
  if (linked != nullptr) return linked;
  return reinterpret_cast<Function*>(::dlsym(RTLD_DEFAULT, name));
}

}  // namespace

std::function<void()> allocator_purge() {
  auto* const trim = found(&::malloc_trim, "malloc_trim");
  auto* const control = found(&::mallctl, "mallctl");
  auto* const collect = found(&::mi_collect, "mi_collect");
  auto* const release = found(&::MallocExtension_ReleaseFreeMemory, "MallocExtension_ReleaseFreeMemory");
  if (trim == nullptr && control == nullptr && collect == nullptr && release == nullptr) return {};
  return [trim, control, collect, release] {
    // 4096 stands for all arenas: MALLCTL_ARENAS_ALL.
    if (control != nullptr) control("arena.4096.purge", nullptr, nullptr, nullptr, 0);
    if (collect != nullptr) collect(true);
    if (release != nullptr) release();
    if (trim != nullptr) trim(0);
  };
}

}  // namespace bursar
