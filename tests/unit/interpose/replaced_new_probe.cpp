// A program that replaces the plain operator new and delete alone, with a pool whose blocks malloc must never see.
// Every other form has to come out of the pool, or out of malloc, and go back to where it came from.

#include <array>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "unit/interpose/escape.h"

namespace {

alignas(64) constinit std::array<std::byte, std::size_t{1} << 20> pool{};
constinit std::size_t used = 0;
constinit long balance = 0;

bool is_of_the_pool(const void* block) {
  const auto* byte = static_cast<const std::byte*>(block);
  return byte >= pool.data() && byte < pool.data() + pool.size();
}

}  // namespace

void* operator new(std::size_t bytes) {
  const std::size_t begin = (used + 15) / 16 * 16;
  if (bytes > pool.size() - begin) throw std::bad_alloc();
  used = begin + bytes;
  ++balance;
  return pool.data() + begin;
}
void operator delete(void* block) noexcept {
  if (block == nullptr) return;
  if (!is_of_the_pool(block)) std::_Exit(3);  // malloc's memory
  --balance;
}

int main() {
  using bursar::testing::escape;
  const long before = balance;
  delete escape(new int(1));
  int* array = escape(new int[10]);
  if (!is_of_the_pool(array)) return 4;
  delete[] array;
  int* quiet = escape(new (std::nothrow) int(3));
  if (!is_of_the_pool(quiet)) return 5;
  ::operator delete(quiet, std::nothrow);
  int* quiet_array = escape(new (std::nothrow) int[3]);
  if (!is_of_the_pool(quiet_array)) return 6;
  ::operator delete[](quiet_array, std::nothrow);
  ::operator delete(escape(::operator new(50)), std::size_t{50});
  ::operator delete[](escape(::operator new[](50)), std::size_t{50});
  if (::operator new(std::size_t{1} << 40, std::nothrow) != nullptr) return 7;
  struct alignas(128) Wide {
    char bytes[128];
  };
  Wide* wide = escape(new Wide);
  if (is_of_the_pool(wide)) return 8;  // the aligned forms are not defined by the plain one
  delete wide;
  {
    std::vector<std::string> strings(100, "a string that is too long to be kept inside");
    if (!is_of_the_pool(strings.data())) return 9;
  }
  std::free(escape(std::malloc(100)));
  return balance == before ? 0 : 10;
}
