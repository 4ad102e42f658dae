// A library that knows nothing of Bursar.

#include <cstddef>
#include <cstdlib>
#include <new>

extern "C" {
[[gnu::visibility("default")]] void* plugin_allocate(std::size_t bytes) {
  return std::malloc(bytes);
}
[[gnu::visibility("default")]] void* plugin_new(std::size_t bytes) {
  return ::operator new(bytes);
}
}
