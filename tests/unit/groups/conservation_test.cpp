// Many threads pass blocks to each other while another looks: the laws of the ledger hold at every moment, and once all
// is quiet the figures are the test's own.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <bursar/groups/group_presence.h>
#include <bursar/groups/resource_group_registry.h>
#include <bursar/groups/thread_account.h>
#include <gtest/gtest.h>

#include "unit/groups/process_size.h"
#include "unit/groups/registry_probe.h"

namespace bursar {
namespace {

using testing::fresh_name;
using testing::without_cpu;

// A slot holds a block that is nobody's for the moment, or 0: its owner's number above 32 bits of size.
using Slot = std::atomic<std::uint64_t>;
constexpr std::uint64_t kOwnerFactor = std::uint64_t{1} << 32;

class Watcher {
 public:
  explicit Watcher(const std::atomic<bool>& stop)
      : thread_([this, &stop] {
          while (!stop) look();
          look();
        }) {}
  void join() { thread_.join(); }

  [[nodiscard]] std::uint64_t looks() const { return looks_; }
  [[nodiscard]] std::uint64_t negative() const { return negative_; }
  [[nodiscard]] const std::map<std::string, int>& went_back() const { return went_back_; }

 private:
  void look() {
    ResourceGroupRegistry::global().visit_resource_groups([this](std::string_view name, const ResourceStats& stats) {
      const ResourceStatsSnapshot& now = stats.totals();
      if (now.deallocated_bytes > now.allocated_bytes || now.deallocated_objects > now.allocated_objects) ++negative_;
      ResourceStatsSnapshot& before = last_[std::string(name)];
      check("allocated_bytes", before.allocated_bytes, now.allocated_bytes);
      check("allocated_objects", before.allocated_objects, now.allocated_objects);
      check("deallocated_bytes", before.deallocated_bytes, now.deallocated_bytes);
      check("deallocated_objects", before.deallocated_objects, now.deallocated_objects);
      check("cpu_time_nanos", before.cpu_time_nanos, now.cpu_time_nanos);
      before = now;
    });
    ++looks_;
  }
  void check(const char* figure, std::uint64_t before, std::uint64_t now) {
    if (now < before) ++went_back_[figure];
  }

  std::map<std::string, ResourceStatsSnapshot> last_;
  std::uint64_t looks_ = 0;
  std::uint64_t negative_ = 0;
  std::map<std::string, int> went_back_;
  std::thread thread_;
};

TEST(Conservation, HoldsAtEveryMomentAndToTheByteWhenAllIsQuiet) {
  constexpr std::size_t kGroups = 5;
  constexpr std::size_t kWriters = 4;
  constexpr std::size_t kSlots = 64;
  const int rounds = testing::kSanitized ? 10'000 : 100'000;
  std::array<ResourceGroupToken, kGroups> tokens;
  for (ResourceGroupToken& token : tokens) {
    token = ResourceGroupRegistry::global().register_resource_group(fresh_name("conserved"));
  }
  std::array<Slot, kSlots> slots{};
  std::atomic<bool> stop{false};
  Watcher watcher(stop);

  // What each writer says it did, by group.
  std::vector<std::map<groups::GroupIndex, ResourceStatsSnapshot>> own(kWriters);
  std::vector<std::thread> writers;
  for (std::size_t w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      std::minstd_rand random(static_cast<unsigned>(w + 1));
      const auto release = [&](std::uint64_t block) {
        const auto owner = static_cast<groups::GroupIndex>(block / kOwnerFactor);
        const std::uint64_t bytes = block % kOwnerFactor;
        groups::charge_release(owner, bytes);
        own[w][owner].deallocated_bytes += bytes;
        own[w][owner].deallocated_objects += 1;
      };
      for (int i = 0; i < rounds; ++i) {
        const ResourceTrackingGuard outer = tokens[random() % kGroups].enter();
        const ResourceTrackingGuard guard = tokens[random() % kGroups].enter();
        const std::uint64_t bytes = 1 + random() % 50'000;
        const groups::GroupIndex owner = groups::charge_allocation(bytes);
        own[w][owner].allocated_bytes += bytes;
        own[w][owner].allocated_objects += 1;
        Slot& slot = slots[random() % kSlots];
        if (const std::uint64_t other = slot.exchange(owner * kOwnerFactor + bytes)) release(other);
        if (const std::uint64_t taken = random() % 3 == 0 ? slots[random() % kSlots].exchange(0) : 0) release(taken);
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  stop = true;
  watcher.join();
  EXPECT_GT(watcher.looks(), 1U);
  EXPECT_EQ(watcher.negative(), 0U);
  EXPECT_EQ(watcher.went_back(), (std::map<std::string, int>{}));

  for (const ResourceGroupToken token : tokens) {
    ResourceStatsSnapshot expected;
    for (auto& figures : own) expected.merge(figures[token.index()]);
    EXPECT_EQ(without_cpu(token.stats().totals()), expected);
    std::uint64_t left = 0;
    for (const Slot& slot : slots) {
      if (slot != 0 && slot / kOwnerFactor == token.index()) left += slot % kOwnerFactor;
    }
    EXPECT_EQ(token.stats().totals().live_bytes(), left);
  }
}

TEST(Conservation, OneBlockThatIsPassedOnAtOnceIsNeverSeenReleasedButNotAllocated) {
  // The tightest race that there is: the release follows the allocation by the time of one hand-over.
  const ResourceGroupToken token = testing::fresh_group("handed_over");
  std::atomic<std::uint64_t> turn{0};
  const std::uint64_t rounds = testing::kSanitized ? 5'000 : 30'000;
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> looks{0};
  std::uint64_t negative = 0;
  const auto wait_for = [&turn](std::uint64_t wanted) {
    for (int tries = 0; turn.load(std::memory_order_acquire) != wanted; ++tries) {
      if (tries % 200 == 199) std::this_thread::yield();
    }
  };
  std::thread reader([&] {
    while (!stop) {
      const ResourceStatsSnapshot figures = token.stats().totals();
      if (figures.deallocated_bytes > figures.allocated_bytes) ++negative;
      if (figures.deallocated_objects > figures.allocated_objects) ++negative;
      ++looks;
    }
  });
  std::thread producer([&] {
    const ResourceTrackingGuard guard = token.enter();
    for (std::uint64_t i = 0; i < rounds; ++i) {
      wait_for(2 * i);
      groups::charge_allocation(1'000);
      turn.store(2 * i + 1, std::memory_order_release);
    }
  });
  std::thread consumer([&] {
    for (std::uint64_t i = 0; i < rounds; ++i) {
      wait_for(2 * i + 1);
      groups::charge_release(token.index(), 1'000);
      turn.store(2 * i + 2, std::memory_order_release);
    }
  });
  producer.join();
  consumer.join();
  stop = true;
  reader.join();
  EXPECT_GT(looks, 100U);
  EXPECT_EQ(negative, 0U);
  EXPECT_EQ(token.stats().totals().allocated_objects, rounds);
  EXPECT_EQ(token.stats().totals().live_bytes(), 0U);
}

TEST(Conservation, HoldsWhileGroupsComeAndGoAndNoCounterOfAGroupThatStaysGoesBack) {
  const ResourceStatsSnapshot before = ResourceGroupRegistry::global().totals();
  constexpr std::size_t kWriters = 3;
  const std::uint64_t rounds = testing::kSanitized ? 3'000 : 30'000;
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> negative{0};
  std::uint64_t went_back = 0;
  std::thread watcher([&] {
    ResourceStatsSnapshot last;
    while (!stop) {
      ResourceGroupRegistry::global().visit_resource_groups([&](std::string_view, const ResourceStats& stats) {
        const ResourceStatsSnapshot& now = stats.totals();
        if (now.deallocated_bytes > now.allocated_bytes || now.deallocated_objects > now.allocated_objects) ++negative;
      });
      const ResourceStatsSnapshot totals = ResourceGroupRegistry::global().totals();
      if (totals.allocated_bytes < last.allocated_bytes || totals.deallocated_bytes < last.deallocated_bytes ||
          totals.allocated_objects < last.allocated_objects || totals.cpu_time_nanos < last.cpu_time_nanos) {
        ++went_back;
      }
      last = totals;
    }
  });
  std::vector<std::thread> writers;
  for (std::size_t w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      for (std::uint64_t i = 0; i < rounds; ++i) {
        const std::string name = "coming." + std::to_string(w) + "." + std::to_string(i % 200);
        const ResourceGroupToken token = ResourceGroupRegistry::global().register_resource_group(name);
        groups::GroupIndex owner = 0;
        {
          const ResourceTrackingGuard guard = token.enter();
          owner = groups::charge_allocation(9);
        }
        ResourceGroupRegistry::global().retire(token);
        groups::charge_release(owner, 9);
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  stop = true;
  watcher.join();
  EXPECT_EQ(negative, 0U);
  EXPECT_EQ(went_back, 0U);
  const ResourceStatsSnapshot counted = testing::since(ResourceGroupRegistry::global().totals(), before);
  EXPECT_EQ(counted.allocated_objects, kWriters * rounds);
  EXPECT_EQ(counted.allocated_bytes, 9 * kWriters * rounds);
  EXPECT_EQ(counted.deallocated_bytes, 9 * kWriters * rounds);
  ResourceStatsSnapshot sum = ResourceGroupRegistry::global().retired_totals();
  ResourceGroupRegistry::global().visit_resource_groups(
      [&](std::string_view, const ResourceStats& stats) { sum.merge(stats.totals()); });
  EXPECT_EQ(without_cpu(sum), without_cpu(ResourceGroupRegistry::global().totals()));
}

TEST(Conservation, NoBlockIsChargedToANumberThatAnotherGroupHasByNow) {
  // One thread enters by a token that another retires at the same time, while a third takes every number that gets
  // free. Whoever is charged has to be the token's group or root, never the third thread's.
  const int rounds = testing::kSanitized ? 1'000 : 10'000;
  std::atomic<ResourceGroupToken> shared{ResourceGroupToken::root()};
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> entered{0};
  std::vector<std::thread> enterers;
  for (int e = 0; e < 2; ++e) {
    enterers.emplace_back([&] {
      while (!stop) {
        const ResourceTrackingGuard guard = shared.load(std::memory_order_relaxed).enter();
        const groups::GroupIndex owner = groups::charge_allocation(1);
        groups::charge_release(owner, 1);
        entered.fetch_add(1, std::memory_order_relaxed);
      }
    });
  }
  std::uint64_t strangers = 0;
  std::vector<ResourceGroupToken> bystanders;
  for (int i = 0; i < rounds; ++i) {
    const ResourceGroupToken token = testing::fresh_group("entered");
    shared.store(token, std::memory_order_relaxed);
    if (i % 16 == 0) {
      const std::uint64_t before = entered.load(std::memory_order_relaxed);
      while (entered.load(std::memory_order_relaxed) == before) std::this_thread::yield();
    }
    ResourceGroupRegistry::global().retire(token);
    bystanders.push_back(testing::fresh_group("bystander"));
    if (bystanders.size() == 100) {
      for (const ResourceGroupToken bystander : bystanders) {
        if (bystander.stats().has_allocated()) ++strangers;
        ResourceGroupRegistry::global().retire(bystander);
      }
      bystanders.clear();
    }
  }
  stop = true;
  for (std::thread& enterer : enterers) enterer.join();
  EXPECT_GT(entered, 0U);
  EXPECT_EQ(strangers, 0U);
}

}  // namespace
}  // namespace bursar
