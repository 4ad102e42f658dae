#include <bursar/limiter/allocator_purge.h>
#include <bursar/limiter/memory_sensor.h>

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <vector>

namespace bursar {
namespace {

bool under_sanitizer() {
  return ::dlsym(RTLD_DEFAULT, "__asan_init") != nullptr || ::dlsym(RTLD_DEFAULT, "__tsan_init") != nullptr;
}

// A heap of 64 MiB of which every block but the last is free: glibc keeps all of it.
TEST(AllocatorPurgeTest, FreePagesGoBackToTheKernel) {
  if (under_sanitizer()) GTEST_SKIP() << "a sanitizer brings a malloc of its own";
  constexpr std::size_t kBlockBytes = 4000;
  constexpr std::size_t kBlocks = (std::size_t{64} << 20) / kBlockBytes;
  const std::function<void()> purge = allocator_purge();
  ASSERT_TRUE(purge);
  const MemorySensor resident = resident_size_sensor().value();
  std::vector<std::unique_ptr<char[]>> blocks;
  for (std::size_t i = 0; i < kBlocks; ++i) {
    blocks.push_back(std::make_unique_for_overwrite<char[]>(kBlockBytes));
    std::memset(blocks.back().get(), 1, kBlockBytes);
  }
  const std::uint64_t held = resident().value();
  blocks.erase(blocks.begin(), blocks.end() - 1);
  const std::uint64_t kept = resident().value();
  ASSERT_GT(kept, held - (std::uint64_t{8} << 20));
  purge();
  EXPECT_LT(resident().value(), kept - (std::uint64_t{56} << 20));
}

}  // namespace
}  // namespace bursar
