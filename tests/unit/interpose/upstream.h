#pragma once

#include <dlfcn.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bursar::testing {

// The allocator that this process's blocks come from in the end, whichever way it came in.
struct Upstream {
  std::string_view name;  // glibc, jemalloc, mimalloc or tcmalloc
  std::size_t (*usable_size)(void*);
};

inline Upstream find_upstream() {
  struct Library {
    const char* name;
    const char* file;
  };
  constexpr Library kLibraries[] = {{"jemalloc", "libjemalloc.so.2"},
                                    {"mimalloc", "libmimalloc.so.2"},
                                    {"tcmalloc", "libtcmalloc_minimal.so.4"},
                                    {"glibc", "libc.so.6"}};
  for (const Library& library : kLibraries) {
    if (void* opened = dlopen(library.file, RTLD_LAZY | RTLD_NOLOAD)) {
      const auto usable_size = reinterpret_cast<std::size_t (*)(void*)>(dlsym(opened, "malloc_usable_size"));
      dlclose(opened);
      return {library.name, usable_size};
    }
  }
  return {"none", nullptr};
}

// Before `main`, so that what the search allocates is in nobody's way.
inline const Upstream upstream = find_upstream();

// What the books have to hold for a block: the upstream's bytes.
inline std::uint64_t books_bytes(void* block) {
  return upstream.usable_size(block);
}

}  // namespace bursar::testing
