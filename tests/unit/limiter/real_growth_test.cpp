#include <bursar/limiter/memory_limiter.h>

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace bursar {
namespace {

constexpr std::size_t kItemBytes = std::size_t{64} << 10;
constexpr std::size_t kRoomBytes = std::size_t{64} << 20;

thread_local constinit std::uint64_t allocated_bytes = 0;

// A process that grows as fast as it can, by what `grow` touches each time, until it is first held back: how far has it
// come by then, as a share of the limit? By the kernel's figures, and with a thread that has a core or has none.
double share_when_held_back(ThreadGrowth growth, const std::function<void()>& grow) {
  const MemorySensor resident = resident_size_sensor().value();
  const std::uint64_t limit_bytes = resident().value() + kRoomBytes;
  MemoryLimiterOptions options;
  options.thread_growth = growth;
  options.purge = std::function<void()>();
  const auto limiter = MemoryLimiter::create(MemoryGrant::effective(limit_bytes).value(), std::move(options));
  EXPECT_TRUE(limiter) << limiter.error().message();
  std::uint64_t peak_bytes = 0;
  while (limiter->waits_total() == 0 && peak_bytes < 2 * limit_bytes) {
    grow();
    peak_bytes = std::max(peak_bytes, resident().value());
    limiter->wait_for_capacity();
  }
  return static_cast<double>(peak_bytes) / static_cast<double>(limit_bytes);
}

TEST(RealGrowthTest, AThreadThatAllocatesIsHeldBackBeforeTheLimit) {
  std::vector<std::unique_ptr<char[]>> held;
  const double share = share_when_held_back([]() noexcept { return allocated_bytes; },
                                            [&held] {
                                              held.push_back(std::make_unique_for_overwrite<char[]>(kItemBytes));
                                              std::memset(held.back().get(), 1, kItemBytes);
                                              allocated_bytes += kItemBytes;
                                            });
  EXPECT_GE(share, 0.94);
  EXPECT_LE(share, 1.02);
}

TEST(RealGrowthTest, AThreadThatTouchesWhatItAllocatedLongAgoIsHeldBackBeforeTheLimit) {
  constexpr std::size_t kMapped = 4 * kRoomBytes;
  void* const pages = ::mmap(nullptr, kMapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(pages, MAP_FAILED);
  std::size_t touched = 0;
  const double share = share_when_held_back([]() noexcept { return std::uint64_t{0}; },
                                            [&] {
                                              ASSERT_LE(touched + kItemBytes, kMapped);
                                              std::memset(static_cast<char*>(pages) + touched, 1, kItemBytes);
                                              touched += kItemBytes;
                                            });
  ::munmap(pages, kMapped);
  EXPECT_GE(share, 0.94);
  EXPECT_LE(share, 1.02);
}

}  // namespace
}  // namespace bursar
