// What runs under malloc allocates nothing: each such function is run with a guard armed that stops at any allocation.

#include "unit/alloc/allocation_guard.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include <bursar/alloc/bootstrap_arena.h>
#include <bursar/alloc/large_block_table.h>
#include <bursar/alloc/ownership.h>
#include <bursar/alloc/shadow_index.h>
#include <bursar/alloc/tracking_allocator.h>
#include <bursar/alloc/transfer.h>
#include <bursar/cpu/clock_choice.h>
#include <bursar/cpu/thread_clock.h>
#include <bursar/groups/group_presence.h>
#include <bursar/groups/resource_group_registry.h>
#include <bursar/groups/thread_account.h>
#include <gtest/gtest.h>

namespace bursar {
namespace {

using testing::AllocationGuard;

ResourceGroupRegistry& registry() {
  return ResourceGroupRegistry::global();
}

// Blocks out of the program's image, so that the allocator over them is all that could allocate.
struct ArrayUpstream {
  static inline std::size_t used = 0;
  alignas(4'096) static inline std::array<std::byte, std::size_t{16} << 20> memory;
  static inline std::byte* volatile begin_of_memory = memory.data();

  static void* allocate(std::size_t bytes) noexcept { return allocate_aligned(16, bytes); }
  static void* allocate_zeroed(std::size_t bytes) noexcept { return allocate(bytes); }
  static void* allocate_aligned(std::size_t alignment, std::size_t bytes) noexcept {
    const std::size_t begin = (used + 64 + alignment - 1) / alignment * alignment;
    if (begin + bytes > memory.size()) return nullptr;
    used = begin + bytes;
    std::byte* block = begin_of_memory + begin;
    std::memcpy(block - sizeof(bytes), &bytes, sizeof(bytes));
    return block;
  }
  static void* reallocate(void* block, std::size_t bytes) noexcept {
    void* moved = allocate(bytes);
    if (moved != nullptr) std::memcpy(moved, block, std::min(bytes, usable_size(block)));
    return moved;
  }
  static void release(void*) noexcept {}
  static std::size_t usable_size(void* block) noexcept {
    std::size_t bytes = 0;
    std::memcpy(&bytes, static_cast<std::byte*>(block) - sizeof(bytes), sizeof(bytes));
    return bytes;
  }
};

TEST(AllocationGuardDeathTest, StopsAtEveryKindOfAllocation) {
  const auto dies = [](auto allocate, const char* function) {
    EXPECT_DEATH(
        {
          const AllocationGuard guard;
          allocate();
        },
        std::string("allocation guard: ") + function + " was called where nothing may be allocated");
  };
  static void* volatile sink;
  dies([] { sink = std::malloc(1); }, "malloc");
  dies([] { sink = std::calloc(1, 1); }, "calloc");
  dies([] { sink = std::aligned_alloc(64, 64); }, "aligned_alloc");
  dies([] { sink = ::operator new(1); }, "operator new");
  dies([] { sink = new char[10]; }, "operator new");
  dies([] { sink = strdup("text"); }, "malloc");
  sink = std::malloc(1);
  dies([] { std::free(sink); }, "free");
  dies([] { sink = std::realloc(sink, 100); }, "realloc");
  std::free(sink);
}

TEST(AllocationGuard, IsOverWhenItEnds) {
  {
    const AllocationGuard guard;
  }
  const auto text = std::make_unique<std::string>(100, 'x');
  EXPECT_EQ(text->size(), 100U);
}

TEST(NothingIsAllocatedBy, TheClocks) {
  const AllocationGuard guard;
  static_cast<void>(cpu::clock_choice());
  cpu::ThreadClock clock;
  for (int i = 0; i < 1'000; ++i) static_cast<void>(clock.lap());
  static_cast<void>(cpu::thread_cpu_nanos());
  static_cast<void>(cpu::thread_cpu_nanos(pid_t{1}));
  static_cast<void>(cpu::process_cpu_nanos());
  clock.reset_to_thread_start();
}

TEST(NothingIsAllocatedBy, RegisteringVisitingAndRetiring) {
  const AllocationGuard guard;
  char name[] = "guarded.0000";
  std::array<ResourceGroupToken, 1'000> tokens;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    for (std::size_t digit = 0, rest = i; digit < 4; ++digit, rest /= 10) {
      name[sizeof(name) - 2 - digit] = static_cast<char>('0' + rest % 10);
    }
    tokens[i] = registry().register_resource_group(name);
    static_cast<void>(registry().register_resource_group(name));
    static_cast<void>(tokens[i].name());
    static_cast<void>(tokens[i].stats());
    static_cast<void>(tokens[i].peak_live_bytes());
  }
  std::size_t visited = 0;
  registry().visit_resource_groups([&](std::string_view, const ResourceStats&) { ++visited; });
  for (const ResourceGroupToken token : tokens) registry().retire(token);
  for (std::size_t i = 0; i < 200; ++i) {
    name[0] = static_cast<char>('a' + i % 26);
    registry().retire(registry().register_resource_group(name));
  }
  static_cast<void>(registry().register_resource_group(""));
  static_cast<void>(registry().totals());
  static_cast<void>(registry().retired_totals());
  static_cast<void>(registry().stale_tokens());
  static_cast<void>(registry().rejected_groups());
  static_cast<void>(registry().foreign_blocks());
  if (visited < tokens.size()) std::abort();
}

TEST(NothingIsAllocatedBy, EnteringChargingAndLeaving) {
  const ResourceGroupToken token = registry().register_resource_group("guarded.entered");
  const ResourceGroupToken stale = registry().register_resource_group("guarded.stale");
  registry().retire(stale);
  const AllocationGuard guard;
  const ResourceTrackingGuard outer = token.enter();
  {
    const ResourceTrackingGuard in_stale = stale.enter();
    const groups::GroupPresence presence(token);
    const groups::AllocationDetour detour(presence.group());
    groups::charge_release(groups::charge_allocation(1 << 20), 1 << 20);
    groups::charge_allocation_to(presence.group(), 5);
    groups::charge_release(presence.group(), 5);
  }
  static_cast<void>(ResourceGroupToken::current());
  groups::count_foreign_block();
}

TEST(NothingIsAllocatedBy, AThreadsFirstAndLastCharges) {
  const ResourceGroupToken token = registry().register_resource_group("guarded.thread");
  for (int i = 0; i < 20; ++i) {
    std::thread([&] {
      const AllocationGuard guard;
      const ResourceTrackingGuard in_group = token.enter();
      groups::charge_release(groups::charge_allocation(10), 10);
    }).join();
  }
}

template <typename Owners>
void run_every_function() {
  const ResourceGroupToken token = registry().register_resource_group("guarded.allocator");
  ArrayUpstream::used = 0;
  TrackingAllocator<ArrayUpstream, Owners> allocator;
  const AllocationGuard guard;
  const ResourceTrackingGuard in_group = token.enter();
  for (const std::size_t size : {std::size_t{0}, std::size_t{60}, std::size_t{64}, std::size_t{300'000}}) {
    void* block = allocator.allocate(size);
    block = allocator.reallocate(block, size + 100);
    static_cast<void>(allocator.usable_size(block));
    allocator.transfer(block, ResourceGroupToken::root());
    static_cast<void>(transfer(block, token));
    allocator.deallocate(block);
    allocator.deallocate(allocator.allocate_zeroed(1, size));
    allocator.deallocate(allocator.allocate_aligned(512, size));
    // Refused, for want of room; and a block from elsewhere.
    static_cast<void>(allocator.allocate(std::size_t{1} << 40));
    static_cast<void>(allocator.allocate(~std::size_t{0}));
    allocator.deallocate(ArrayUpstream::allocate(size + 64));
  }
  static_cast<void>(alloc::BootstrapArena::allocate(16, 10));
}

TEST(NothingIsAllocatedBy, TheTrackingAllocatorItself) {
  run_every_function<alloc::AskedTag>();
}
TEST(NothingIsAllocatedBy, TheTrackingAllocatorWithTheIndex) {
  run_every_function<alloc::TagInSlack>();
}

}  // namespace
}  // namespace bursar
