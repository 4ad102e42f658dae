// Asks as programs do whether jemalloc, mimalloc or tcmalloc is there: by weak references, and by dlsym.

#include <dlfcn.h>

#include <cstddef>
#include <cstdio>

extern "C" {
[[gnu::weak]] void* mallocx(std::size_t bytes, int flags);
[[gnu::weak]] void* mi_malloc(std::size_t bytes);
[[gnu::weak]] void* tc_malloc(std::size_t bytes);
}

namespace {

const char* answer(bool is_there) {
  return is_there ? "there" : "not there";
}

}  // namespace

int main() {
  std::printf("jemalloc %s, mimalloc %s, tcmalloc %s\n",
              answer(mallocx != nullptr && dlsym(RTLD_DEFAULT, "mallocx") != nullptr),
              answer(mi_malloc != nullptr && dlsym(RTLD_DEFAULT, "mi_malloc") != nullptr),
              answer(tc_malloc != nullptr && dlsym(RTLD_DEFAULT, "tc_malloc") != nullptr));
}
