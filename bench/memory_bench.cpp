// How much resident memory blocks take: allocates some, writes to each as a program does, and prints what the process
// grew by for each of them. memory.py runs it with and without tracking, over several allocators.

#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

namespace {

// Not through stdio's buffers, which would be among what is measured.
long resident_bytes() {
  std::FILE* statm = std::fopen("/proc/self/statm", "r");
  long pages = 0;
  if (statm == nullptr || std::fscanf(statm, "%*d %ld", &pages) != 1) std::abort();
  std::fclose(statm);
  return pages * sysconf(_SC_PAGESIZE);
}

void* allocate(std::size_t alignment, std::size_t bytes) {
  void* block = alignment == 0 ? std::malloc(bytes) : std::aligned_alloc(alignment, bytes);
  if (block == nullptr) std::abort();
  std::memset(block, 1, bytes);
  return block;
}

}  // namespace

// memory_bench FIRST LAST ALIGNMENT COUNT: COUNT blocks of each size from FIRST to LAST; ALIGNMENT 0 is malloc's own.
int main(int argc, char** argv) {
  if (argc != 5) {
    std::fputs("usage: memory_bench FIRST_BYTES LAST_BYTES ALIGNMENT COUNT\n", stderr);
    return 2;
  }
  const std::size_t first = std::strtoul(argv[1], nullptr, 10);
  const std::size_t last = std::strtoul(argv[2], nullptr, 10);
  const std::size_t alignment = std::strtoul(argv[3], nullptr, 10);
  const std::size_t count = std::strtoul(argv[4], nullptr, 10);

  std::vector<void*> blocks((last - first + 1) * count);
  for (void*& block : blocks) block = &block;  // resident before it is looked
  for (std::size_t bytes = first; bytes <= last; ++bytes) std::free(allocate(alignment, bytes));
  const long before = resident_bytes();
  std::size_t next = 0;
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t bytes = first; bytes <= last; ++bytes) blocks[next++] = allocate(alignment, bytes);
  }
  const long after = resident_bytes();
  std::printf("%.3f\n", static_cast<double>(after - before) / static_cast<double>(blocks.size()));
  for (void* block : blocks) std::free(block);
}
