// The work whose cost is compared. Compiled once for each design, against the header that BURSAR_BENCH_DESIGN names;
// what is measured is the CPU time of one operation. compare.py runs the programs in turn and divides.

#include <benchmark/benchmark.h>

#include <malloc.h>
#include <sys/mman.h>

#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "block_sizes.h"
#include "handover.h"
#include BURSAR_BENCH_DESIGN

namespace bursar::bench {
namespace {

constexpr std::size_t kMebibyte = std::size_t{1} << 20;
constexpr const char* kGroup = "bench.one_group_for_all_threads";

// As a program does that wants its block: it writes to it.
void use(void* block) {
  static_cast<volatile char*>(block)[0] = 1;
}

void SmallPair(benchmark::State& state) {
  const Design::Guard guard(Design::group(kGroup));
  for (auto _ : state) {
    void* block = Design::allocate(64);
    use(block);
    benchmark::DoNotOptimize(block);
    Design::release(block, 64);
  }
}
BENCHMARK(SmallPair)->Threads(1)->UseRealTime();
BENCHMARK(SmallPair)->Threads(2)->UseRealTime();

// Whether glibc gives the heap's top back to the kernel, and soon takes it again, hangs on which block happens to lie
// last, which differs between the programs and has nothing to do with tracking.
void keep_the_heap() {
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
}

void MixedSizes(benchmark::State& state) {
  keep_the_heap();
  static const BlockSizes sizes;
  struct Block {
    void* address = nullptr;
    std::size_t bytes = 0;
  };
  constexpr std::size_t kLiveBlocks = 1024;

  const Design::Guard guard(Design::group(kGroup));
  std::array<Block, kLiveBlocks> ring;
  // Two threads are at different places of the same sequence.
  std::size_t next = static_cast<std::size_t>(state.thread_index()) * (BlockSizes::kCount / 2);
  const auto replace = [&](Block& block) {
    Design::release(block.address, block.bytes);
    block.bytes = sizes[next++];
    block.address = Design::allocate(block.bytes);
    use(block.address);
  };
  for (Block& block : ring) replace(block);
  for (auto _ : state) replace(ring[next % kLiveBlocks]);
  for (const Block& block : ring) Design::release(block.address, block.bytes);
}
BENCHMARK(MixedSizes)->Threads(1)->UseRealTime();
BENCHMARK(MixedSizes)->Threads(2)->UseRealTime();

void FreedOnAnotherThread(benchmark::State& state) {
  static Handover handover;
  const Design::Guard guard(Design::group(kGroup));
  if (state.thread_index() == 0) {
    for (auto _ : state) {
      void* block = Design::allocate(64);
      use(block);
      handover.put(block);
    }
  } else {
    for (auto _ : state) Design::release(handover.take(), 64);
  }
}
BENCHMARK(FreedOnAnotherThread)->Threads(2)->UseRealTime();

// Large blocks come fresh from the kernel each time, as they do in a program that has not yet released one as large:
// otherwise glibc learns from the first iteration to keep them.
void take_large_blocks_from_the_kernel() {
  mallopt(M_MMAP_THRESHOLD, 128 << 10);
}

void GrowToSixteenMebibytes(benchmark::State& state) {
  constexpr std::size_t kWords = 16 * kMebibyte / sizeof(std::uint64_t);
  take_large_blocks_from_the_kernel();
  const Design::Guard guard(Design::group(kGroup));
  for (auto _ : state) {
    std::uint64_t* words = nullptr;
    std::size_t capacity = 0;
    for (std::size_t size = 0; size < kWords; ++size) {
      if (size == capacity) {
        const std::size_t grown = capacity == 0 ? 8 : capacity * 2;
        words = static_cast<std::uint64_t*>(
            Design::reallocate(words, capacity * sizeof(std::uint64_t), grown * sizeof(std::uint64_t)));
        capacity = grown;
      }
      words[size] = size;
    }
    benchmark::DoNotOptimize(words);
    Design::release(words, capacity * sizeof(std::uint64_t));
  }
}
BENCHMARK(GrowToSixteenMebibytes)->UseRealTime();

std::size_t resident_bytes(void* block, std::size_t bytes) {
  constexpr std::size_t kPageBytes = 4096;
  auto* first_page =
      reinterpret_cast<void*>((reinterpret_cast<std::uintptr_t>(block) + kPageBytes) & ~(kPageBytes - 1));
  std::vector<unsigned char> pages(bytes / kPageBytes - 1);
  if (mincore(first_page, pages.size() * kPageBytes, pages.data()) != 0) return bytes;
  std::size_t resident = 0;
  for (const unsigned char page : pages) resident += (page & 1U) * kPageBytes;
  return resident;
}

void UntouchedZeros(benchmark::State& state) {
  constexpr std::size_t kBytes = 64 * kMebibyte;
  const Design::Guard guard(Design::group(kGroup));
  for (auto _ : state) {
    void* block = Design::allocate_zeroed(kBytes);
    benchmark::DoNotOptimize(block);
    Design::release(block, kBytes);
  }
  void* block = Design::allocate_zeroed(kBytes);
  state.counters["resident_bytes"] = static_cast<double>(resident_bytes(block, kBytes));
  Design::release(block, kBytes);
}
BENCHMARK(UntouchedZeros)->UseRealTime();

void EnterAndLeave(benchmark::State& state) {
  auto&& group = Design::group(kGroup);
  for (auto _ : state) {
    const Design::Guard guard(group);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(EnterAndLeave)->UseRealTime();

template <typename D>
concept HasDetour = requires { typename D::Detour; };

template <typename D>
void enter_and_leave_without_clock(benchmark::State& state) {
  if constexpr (HasDetour<D>) {
    const auto group = D::group(kGroup);
    for (auto _ : state) {
      const typename D::Detour detour(group);
      benchmark::ClobberMemory();
    }
  } else {
    state.SkipWithError("every change of group reads the clock, or nothing is tracked");
  }
}

void EnterAndLeaveWithoutClock(benchmark::State& state) {
  enter_and_leave_without_clock<Design>(state);
}
BENCHMARK(EnterAndLeaveWithoutClock)->UseRealTime();

// Threads that have allocated something and wait, so that a reader has their books to look at.
class LiveThreads {
 public:
  explicit LiveThreads(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) threads_.emplace_back([this, i] { live(i); });
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return ready_ == count; });
  }
  ~LiveThreads() {
    {
      const std::lock_guard lock(mutex_);
      done_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }
  LiveThreads(const LiveThreads&) = delete;
  LiveThreads& operator=(const LiveThreads&) = delete;

 private:
  void live(std::size_t number) {
    const std::string name = "bench.group." + std::to_string(number);
    const Design::Guard guard(Design::group(name.c_str()));
    void* block = Design::allocate(64);
    std::unique_lock lock(mutex_);
    ++ready_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return done_; });
    Design::release(block, 64);
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t ready_ = 0;
  bool done_ = false;
  std::vector<std::thread> threads_;
};

template <typename D>
concept HasSnapshot = requires { D::snapshot(); };

// What cannot be done without tracking has nothing to be compared with there.
template <typename D>
void snapshot_thousand_groups(benchmark::State& state) {
  if constexpr (HasSnapshot<D>) {
    for (std::size_t i = 0; i < 1000; ++i) {
      const std::string name = "bench.group." + std::to_string(i);
      const typename D::Guard guard(D::group(name.c_str()));
      D::release(D::allocate(64), 64);
    }
    const LiveThreads threads(64);
    for (auto _ : state) benchmark::DoNotOptimize(D::snapshot());
  } else {
    state.SkipWithError("nothing is tracked");
  }
}

void SnapshotThousandGroups(benchmark::State& state) {
  snapshot_thousand_groups<Design>(state);
}
BENCHMARK(SnapshotThousandGroups)->UseRealTime();

}  // namespace
}  // namespace bursar::bench
