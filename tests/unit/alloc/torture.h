#pragma once

#include <bursar/groups/resource_group_registry.h>
#include <bursar/groups/resource_group_token.h>

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "unit/groups/process_size.h"
#include "unit/groups/registry_probe.h"

// Random operations of a whole allocation interface on several threads: blocks cross threads, groups are entered and
// left, come and go, threads come and go, and forks, while one thread looks. At the end, at every look, and in every
// child, the books have to agree with the test's own.
namespace bursar::testing {

struct TortureOptions {
  std::uint64_t seed = 1;
  std::uint64_t operations = 400'000;  // of all threads together
  std::size_t threads = 4;             // at once; each does a part of its share, and leaves the rest to the next
  std::size_t rounds = 10;
  bool forks = !kSanitized;  // children of a process with threads are nothing for sanitizers
  // Whether nothing but the test's own calls is charged: then the totals have to agree too.
  bool is_alone = true;

  // BURSAR_TORTURE_OPERATIONS and BURSAR_TORTURE_SEED have their way.
  static TortureOptions from_environment(std::uint64_t operations) {
    const auto read = [](const char* name, std::uint64_t fallback) {
      const char* text = std::getenv(name);
      return text == nullptr ? fallback : std::strtoull(text, nullptr, 10);
    };
    TortureOptions options;
    options.operations = read("BURSAR_TORTURE_OPERATIONS", operations);
    options.seed = read("BURSAR_TORTURE_SEED", static_cast<std::uint64_t>(std::time(nullptr)));
    return options;
  }
};

// SplitMix64: https://prng.di.unimi.it/splitmix64.c
class TortureRandom {
 public:
  explicit TortureRandom(std::uint64_t seed) noexcept : state_(seed) {}
  std::uint64_t next() noexcept {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  std::uint64_t below(std::uint64_t end) noexcept { return next() % end; }

 private:
  std::uint64_t state_;
};

// What the test knows of a block. `books_bytes` is what the books have to hold for it.
struct TortureBlock {
  unsigned char* block = nullptr;
  std::size_t asked_bytes = 0;
  std::uint64_t books_bytes = 0;
  std::size_t owner = 0;  // which of the test's stable groups; kOthers for all the rest
};

template <typename Api>
class Torture {
 public:
  Torture(Api& api, const TortureOptions& options) : api_(api), options_(options) {}

  void run() {
    // Shown by GoogleTest with whatever fails.
    const ::testing::ScopedTrace trace(__FILE__, __LINE__,
                                       "BURSAR_TORTURE_SEED=" + std::to_string(options_.seed) +
                                           " BURSAR_TORTURE_OPERATIONS=" + std::to_string(options_.operations));
    set_up();
    const ResourceStatsSnapshot before = ResourceGroupRegistry::global().totals();
    std::thread reader([this] { read_until_stopped(); });
    for (std::size_t round = 0; round < options_.rounds; ++round) {
      std::vector<std::thread> threads;
      working_ = options_.threads;
      for (std::size_t t = 0; t < options_.threads; ++t) {
        threads.emplace_back([this, t, round] {
          work(*workers_[t], t * options_.rounds + round);
          --working_;
        });
      }
      if (options_.forks) fork_while_they_work();
      for (std::thread& thread : threads) thread.join();
      if (options_.forks) expect_agreement_in_a_child();
    }
    stop_ = true;
    reader.join();
    expect_agreement(before);
    for (Slot& slot : slots_) {
      if (TortureBlock* left = slot.exchange(nullptr)) release(*workers_[0], *left);
    }
    for (auto& worker : workers_) {
      for (TortureBlock& block : worker->blocks) {
        if (block.block != nullptr) release(*worker, block);
      }
    }
    expect_agreement(before);
    for (const ResourceGroupToken token : stable_) {
      EXPECT_EQ(token.stats().totals().live_bytes(), 0U);
      EXPECT_EQ(token.stats().totals().live_objects(), 0U);
      ResourceGroupRegistry::global().retire(token);
    }
    for (const auto& token : passing_) ResourceGroupRegistry::global().retire(token.load());
  }

 private:
  static constexpr std::size_t kStable = 6;
  static constexpr std::size_t kOthers = kStable;
  static constexpr std::size_t kPassing = 6;
  static constexpr std::size_t kBlocksOfAThread = 256;
  static constexpr std::size_t kSlots = 64;
  static constexpr std::size_t kDeepest = 12;
  static constexpr int kForksOfARound = 30;
  static constexpr std::size_t kMostBlocks = 16 * (kBlocksOfAThread + 2 * kSlots);  // of 16 threads

  using Slot = std::atomic<TortureBlock*>;

  // All memory that a worker needs is there before it begins, so that a tracked malloc counts the test's calls alone.
  struct alignas(64) Worker {
    std::array<TortureBlock, kBlocksOfAThread> blocks;
    // Blocks on their way to another thread; a record is used again once its block has been taken over.
    std::array<TortureBlock, kSlots * 2> parcels;
    std::array<std::atomic<bool>, kSlots * 2> parcel_in_use{};
    std::array<ResourceStatsSnapshot, kStable + 1> own{};
    std::array<std::optional<ResourceTrackingGuard>, kDeepest> guards;
    std::size_t depth = 0;
    // How many bytes at the most the operation in flight allocates or releases; 0 between operations.
    std::atomic<std::uint64_t> bytes_in_flight{0};
    std::uint64_t damaged = 0;
    std::uint64_t failed = 0;
  };

  void set_up() {
    for (ResourceGroupToken& token : stable_) token = fresh_group("stable");
    for (auto& token : passing_) token = fresh_group("passing");
    for (std::size_t t = 0; t < options_.threads; ++t) workers_.push_back(std::make_unique<Worker>());
    foreign_before_ = ResourceGroupRegistry::global().foreign_blocks();
  }

  [[nodiscard]] std::size_t current_owner() const noexcept {
    const ResourceGroupToken current = ResourceGroupToken::current();
    for (std::size_t i = 0; i < kStable; ++i) {
      if (stable_[i] == current) return i;
    }
    return kOthers;
  }

  static std::size_t random_size(TortureRandom& random) noexcept {
    const std::uint64_t kind = random.below(10'000);
    if (kind < 6'500) return random.below(128);
    if (kind < 9'700) return random.below(1'000);
    if (kind < 9'980) return random.below(40'000);
    if (kind < 9'995) return (std::size_t{128} << 10) - 16 + random.below(32);  // the border of the large
    return random.below(1'000'000);
  }

  // While it lives, the worker's blocks and the books may differ by as much as this.
  class InFlight {
   public:
    InFlight(Worker& worker, std::uint64_t bytes) : worker_(worker) {
      // Nothing of the operation is in memory before its announcement, nor after the announcement is taken back: so a
      // child never sees the one without the other.
      worker_.bytes_in_flight.exchange(bytes + 1, std::memory_order_seq_cst);
    }
    ~InFlight() { worker_.bytes_in_flight.store(0, std::memory_order_release); }
    InFlight(const InFlight&) = delete;
    InFlight& operator=(const InFlight&) = delete;

   private:
    Worker& worker_;
  };
  // No upstream gives more than twice what it was asked for, or, of little, some pages.
  static std::uint64_t at_most_given(std::size_t bytes) noexcept { return 2 * bytes + (std::uint64_t{128} << 10); }

  static unsigned char content_of(const TortureBlock& block) noexcept {
    return static_cast<unsigned char>(block.asked_bytes * 31 + block.books_bytes);
  }

  // All bytes of the smallest blocks, the first and the last of others.
  template <typename Visit>
  static void for_marked_bytes(std::size_t bytes, Visit&& visit) {
    constexpr std::size_t kEach = 32;
    if (bytes <= 2 * kEach) {
      for (std::size_t i = 0; i < bytes; ++i) visit(i);
    } else {
      for (std::size_t i = 0; i < kEach; ++i) visit(i);
      for (std::size_t i = bytes - kEach; i < bytes; ++i) visit(i);
    }
  }
  void mark(const TortureBlock& block) {
    for_marked_bytes(api_.writable_bytes(block.block), [&](std::size_t i) { block.block[i] = content_of(block); });
  }
  // REQUIRES: `marked_bytes` were writable when the block was marked, of which `kept_bytes` are still there.
  static bool is_marked(const TortureBlock& block, std::size_t marked_bytes, std::size_t kept_bytes) {
    bool good = true;
    for_marked_bytes(marked_bytes,
                     [&](std::size_t i) { good = good && (i >= kept_bytes || block.block[i] == content_of(block)); });
    return good;
  }

  void charged(Worker& worker, TortureBlock& block, void* memory, std::size_t asked_bytes) {
    block.block = static_cast<unsigned char*>(memory);
    block.asked_bytes = asked_bytes;
    block.books_bytes = api_.books_bytes(memory);
    block.owner = current_owner();
    worker.own[block.owner].allocated_bytes += block.books_bytes;
    worker.own[block.owner].allocated_objects += 1;
    mark(block);
  }
  static void credited(Worker& worker, const TortureBlock& block) {
    worker.own[block.owner].deallocated_bytes += block.books_bytes;
    worker.own[block.owner].deallocated_objects += 1;
  }

  void release(Worker& worker, TortureBlock& block) {
    const std::size_t writable = api_.writable_bytes(block.block);
    if (!is_marked(block, writable, writable)) ++worker.damaged;
    const InFlight flight(worker, block.books_bytes);
    api_.release(block.block);
    credited(worker, block);
    block.block = nullptr;
  }

  void allocate(Worker& worker, TortureBlock& block, TortureRandom& random) {
    const std::size_t size = random_size(random);
    const InFlight flight(worker, at_most_given(size));
    void* memory = nullptr;
    switch (random.below(4)) {
      case 0: {
        memory = api_.allocate_zeroed(1 + size / 8, 8);
        const auto* bytes = static_cast<const unsigned char*>(memory);
        if (memory != nullptr && !std::all_of(bytes, bytes + (1 + size / 8) * 8, [](auto b) { return b == 0; })) {
          ++worker.damaged;
        }
        break;
      }
      case 1: {
        const std::size_t alignment = std::size_t{8} << random.below(10);
        memory = api_.allocate_aligned(alignment, size);
        if (reinterpret_cast<std::uintptr_t>(memory) % alignment != 0) ++worker.damaged;
        break;
      }
      default:
        memory = api_.allocate(size);
    }
    if (memory == nullptr) {
      ++worker.failed;
    } else {
      charged(worker, block, memory, size);
    }
  }

  void reallocate(Worker& worker, TortureBlock& block, TortureRandom& random) {
    const std::size_t size = 1 + random_size(random);
    const std::size_t writable = api_.writable_bytes(block.block);
    TortureBlock moved = block;
    const InFlight flight(worker, block.books_bytes + at_most_given(size));
    void* memory = api_.reallocate(block.block, size);
    if (memory == nullptr) {
      ++worker.failed;
      return;
    }
    moved.block = static_cast<unsigned char*>(memory);
    if (!is_marked(moved, writable, std::min(size, writable))) ++worker.damaged;
    credited(worker, block);
    charged(worker, block, memory, size);
  }

  // A block goes into a slot, and whatever was there becomes this thread's.
  void pass_on(Worker& worker, TortureBlock& block, TortureRandom& random) {
    for (std::size_t i = 0; i < worker.parcels.size(); ++i) {
      if (worker.parcel_in_use[i].load(std::memory_order_acquire)) continue;
      worker.parcels[i] = block;
      worker.parcel_in_use[i].store(true, std::memory_order_release);
      block.block = nullptr;  // before anybody else can release it
      take_over(block, slots_[random.below(kSlots)].exchange(&worker.parcels[i], std::memory_order_acq_rel));
      return;
    }
  }
  void take_over(TortureBlock& into, TortureBlock* parcel) {
    if (parcel == nullptr) return;
    into = *parcel;
    for (auto& worker : workers_) {
      const auto* first = worker->parcels.data();
      if (parcel >= first && parcel < first + worker->parcels.size()) {
        worker->parcel_in_use[static_cast<std::size_t>(parcel - first)].store(false, std::memory_order_release);
      }
    }
  }

  void transfer(Worker& worker, TortureBlock& block, TortureRandom& random) {
    const std::size_t heir = random.below(kStable);
    const InFlight flight(worker, block.books_bytes);
    if (!api_.transfer(block.block, stable_[heir])) {
      ++worker.failed;
      return;
    }
    credited(worker, block);
    block.owner = heir;
    worker.own[heir].allocated_bytes += block.books_bytes;
    worker.own[heir].allocated_objects += 1;
  }

  void change_group(Worker& worker, TortureRandom& random) {
    if (worker.depth == kDeepest || (worker.depth > 0 && random.below(2) == 0)) {
      worker.guards[--worker.depth].reset();
    } else {
      const std::uint64_t which = random.below(kStable + kPassing);
      worker.guards[worker.depth++].emplace(which < kStable ? stable_[which] : passing_[which - kStable].load());
    }
  }

  void replace_group(TortureRandom& random) {
    char name[48];
    std::snprintf(name, sizeof(name), "torture.%llu.%llu", static_cast<unsigned long long>(options_.seed),
                  static_cast<unsigned long long>(random.below(50)));
    const ResourceGroupToken next = ResourceGroupRegistry::global().register_resource_group(name);
    ResourceGroupRegistry::global().retire(passing_[random.below(kPassing)].exchange(next));
  }

  void work(Worker& worker, std::size_t number) {
    TortureRandom random(options_.seed * 1'000'003 + number);
    for (std::uint64_t i = 0; i < options_.operations / options_.threads / options_.rounds; ++i) {
      TortureBlock& block = worker.blocks[random.below(kBlocksOfAThread)];
      const std::uint64_t kind = random.below(100);
      if (kind < 15) {
        change_group(worker, random);
      } else if (kind < 17) {
        replace_group(random);
      } else if (block.block == nullptr) {
        allocate(worker, block, random);
      } else if (kind < 35) {
        reallocate(worker, block, random);
      } else if (kind < 55) {
        pass_on(worker, block, random);
      } else if (kind < 60) {
        transfer(worker, block, random);
      } else {
        release(worker, block);
      }
    }
    while (worker.depth > 0) worker.guards[--worker.depth].reset();
  }

  void read_until_stopped() {
    std::array<ResourceStatsSnapshot, kStable> last{};
    while (!stop_) {
      for (std::size_t i = 0; i < kStable; ++i) {
        const ResourceStatsSnapshot now = stable_[i].stats().totals();
        if (now.deallocated_bytes > now.allocated_bytes || now.deallocated_objects > now.allocated_objects) ++negative_;
        if (now.allocated_bytes < last[i].allocated_bytes || now.allocated_objects < last[i].allocated_objects ||
            now.deallocated_bytes < last[i].deallocated_bytes ||
            now.deallocated_objects < last[i].deallocated_objects) {
          ++went_back_;
        }
        last[i] = now;
      }
      ResourceGroupRegistry::global().visit_resource_groups([this](std::string_view, const ResourceStats& stats) {
        if (stats.totals().deallocated_bytes > stats.totals().allocated_bytes) ++negative_;
      });
    }
  }

  // What the test's own records say is live, by owner, with those blocks only once that are on their way from one
  // place to another. For a child, which has them for itself alone.
  std::array<ResourceStatsSnapshot, kStable + 1> walk_blocks() {
    std::array<ResourceStatsSnapshot, kStable + 1> live{};
    std::size_t count = 0;
    const auto add = [&](const TortureBlock& block) {
      const auto end = walked_.begin() + static_cast<std::ptrdiff_t>(count);
      if (block.block == nullptr || std::find(walked_.begin(), end, block.block) != end) return;
      walked_[count++] = block.block;
      live[block.owner].allocated_bytes += block.books_bytes;
      live[block.owner].allocated_objects += 1;
    };
    for (const auto& worker : workers_) {
      for (std::size_t i = 0; i < worker->parcels.size(); ++i) {
        if (worker->parcel_in_use[i].load(std::memory_order_acquire)) add(worker->parcels[i]);
      }
    }
    for (const auto& worker : workers_) {
      for (const TortureBlock& block : worker->blocks) add(block);
    }
    return live;
  }

  // In a child. How many groups' live figures are not those of the blocks, up to what was in flight.
  int count_disagreements() {
    std::uint64_t operations_in_flight = 0;
    std::uint64_t bytes_in_flight = 0;
    for (const auto& worker : workers_) {
      const std::uint64_t bytes = worker->bytes_in_flight.load(std::memory_order_acquire);
      bytes_in_flight += bytes;
      if (bytes > 0) ++operations_in_flight;
    }
    const auto distance = [](std::uint64_t a, std::uint64_t b) { return a > b ? a - b : b - a; };
    const auto walked = walk_blocks();
    int wrong = 0;
    for (std::size_t i = 0; i < kStable; ++i) {
      const ResourceStatsSnapshot books = stable_[i].stats().totals();
      if (books.deallocated_bytes > books.allocated_bytes || books.deallocated_objects > books.allocated_objects ||
          distance(books.live_bytes(), walked[i].live_bytes()) > bytes_in_flight ||
          distance(books.live_objects(), walked[i].live_objects()) > operations_in_flight) {
        ++wrong;
        dprintf(
            STDERR_FILENO, "group %zu: books %llu B in %llu, blocks %llu B in %llu, in flight %llu B in %llu\n", i,
            static_cast<unsigned long long>(books.live_bytes()), static_cast<unsigned long long>(books.live_objects()),
            static_cast<unsigned long long>(walked[i].live_bytes()),
            static_cast<unsigned long long>(walked[i].live_objects()), static_cast<unsigned long long>(bytes_in_flight),
            static_cast<unsigned long long>(operations_in_flight));
      }
    }
    return wrong;
  }

  template <typename Body>
  void expect_success_of_child(const char* name, Body body) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) _exit(body());
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0) << name;
  }

  void fork_while_they_work() {
    for (int i = 0; i < kForksOfARound && working_ > 0; ++i) {
      expect_success_of_child("a child of busy threads", [this] { return count_disagreements(); });
    }
  }

  // To the byte; and the child can release all that it inherited.
  void expect_agreement_in_a_child() {
    expect_success_of_child("a child of quiet threads", [this] {
      if (count_disagreements() != 0) return 1;
      for (auto& worker : workers_) {
        for (std::size_t i = 0; i < worker->parcels.size(); ++i) {
          if (worker->parcel_in_use[i]) release(*workers_[0], worker->parcels[i]);
          worker->parcel_in_use[i] = false;
        }
        for (TortureBlock& block : worker->blocks) {
          if (block.block != nullptr) release(*worker, block);
        }
        if (worker->damaged != 0) return 2;
      }
      return count_disagreements() == 0 ? 0 : 3;
    });
  }

  void expect_agreement(const ResourceStatsSnapshot& before) {
    ResourceStatsSnapshot all;
    for (std::size_t i = 0; i <= kStable; ++i) {
      ResourceStatsSnapshot expected;
      for (const auto& worker : workers_) expected.merge(worker->own[i]);
      all.merge(expected);
      if (i == kOthers) continue;
      EXPECT_EQ(without_cpu(stable_[i].stats().totals()), expected) << "group " << i;
    }
    if (options_.is_alone) {
      EXPECT_EQ(without_cpu(since(ResourceGroupRegistry::global().totals(), before)), all);
    }
    EXPECT_EQ(negative_, 0U) << "live figures seen below nothing";
    EXPECT_EQ(went_back_, 0U) << "counters seen smaller than before";
    EXPECT_EQ(ResourceGroupRegistry::global().foreign_blocks(), foreign_before_);
    for (const auto& worker : workers_) {
      EXPECT_EQ(worker->damaged, 0U) << "blocks whose bytes or alignment were not as they should be";
      EXPECT_EQ(worker->failed, 0U);
    }
  }

  Api& api_;
  TortureOptions options_;
  std::array<ResourceGroupToken, kStable> stable_;
  std::array<std::atomic<ResourceGroupToken>, kPassing> passing_;
  std::array<Slot, kSlots> slots_{};
  std::vector<std::unique_ptr<Worker>> workers_;
  std::uint64_t foreign_before_ = 0;
  std::array<const void*, kMostBlocks> walked_{};
  std::atomic<std::size_t> working_{0};
  std::atomic<bool> stop_{false};
  std::uint64_t negative_ = 0;
  std::uint64_t went_back_ = 0;
};

}  // namespace bursar::testing
