// Any history of registering, retiring, entering, leaving, charging and releasing, against a model of plain maps.

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <bursar/groups/resource_group_registry.h>
#include <bursar/groups/thread_account.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "unit/groups/registry_probe.h"

namespace bursar {
namespace {

using testing::figures_of;
using testing::without_cpu;

struct Block {
  groups::GroupIndex owner;
  std::string name;  // under which it was charged
  std::uint64_t bytes;
};

class History {
 public:
  void step(std::uint32_t choice) {
    const std::uint32_t which = choice / 16;
    switch (choice % 16) {
      case 0:
      case 1:
        return register_group(which % kNames);
      case 2:
        return retire(which % kNames);
      case 3:
      case 4:
        return enter(which % kNames);
      case 5:
      case 6:
        return leave();
      case 7:
        return churn();
      case 8:
      case 9:
      case 10:
        return release(which);
      default:
        return charge(1 + which % 40'000);
    }
  }

  void check() const {
    ResourceStatsSnapshot sum = ResourceGroupRegistry::global().retired_totals();
    ResourceGroupRegistry::global().visit_resource_groups(
        [&](std::string_view, const ResourceStats& stats) { sum.merge(stats.totals()); });
    const ResourceStatsSnapshot totals = ResourceGroupRegistry::global().totals();
    RC_ASSERT(without_cpu(sum) == without_cpu(totals));
    RC_ASSERT(without_cpu(testing::since(totals, before_)) == counted_);

    std::map<std::string, ResourceStatsSnapshot> live;
    for (const Block& block : blocks_) {
      live[block.name].allocated_bytes += block.bytes;
      live[block.name].allocated_objects += 1;
    }
    for (const auto& [name, held] : live) {
      if (name == "root") continue;
      const auto shown = figures_of(name);
      RC_ASSERT(shown.has_value());
      RC_ASSERT(shown->live_bytes() == held.allocated_bytes);
      RC_ASSERT(shown->live_objects() == held.allocated_objects);
    }
    RC_ASSERT(ResourceGroupToken::current().index() == (guards_.empty() ? 0 : guards_.back().number));
  }

  void finish() {
    while (!guards_.empty()) leave();
    while (!blocks_.empty()) release(0);
    for (std::size_t i = 0; i < kNames; ++i) retire(i);
  }

 private:
  static constexpr std::size_t kNames = 6;

  struct Entered {
    groups::GroupIndex number;
    std::string name;
    std::unique_ptr<ResourceTrackingGuard> guard;
  };

  static std::string name_of(std::size_t which) { return "law." + std::to_string(which); }

  void register_group(std::size_t which) {
    const ResourceGroupToken token = ResourceGroupRegistry::global().register_resource_group(name_of(which));
    RC_ASSERT(token.name() == name_of(which));
    if (is_registered_[which]) RC_ASSERT(token == tokens_[which]);
    is_registered_[which] = true;
    tokens_[which] = token;
  }

  void retire(std::size_t which) {
    RC_ASSERT(ResourceGroupRegistry::global().retire(tokens_[which]) == is_registered_[which]);
    is_registered_[which] = false;
  }

  void enter(std::size_t which) {
    const ResourceGroupToken token = tokens_[which];
    const std::uint64_t stale = ResourceGroupRegistry::global().stale_tokens();
    auto guard = std::make_unique<ResourceTrackingGuard>(token);
    const bool good = token == ResourceGroupToken::root() || is_registered_[which];
    RC_ASSERT(ResourceGroupRegistry::global().stale_tokens() == stale + (good ? 0 : 1));
    const bool in_root = !good || token == ResourceGroupToken::root();
    guards_.push_back(
        {in_root ? groups::kRootIndex : token.index(), in_root ? "root" : name_of(which), std::move(guard)});
  }

  void leave() {
    if (!guards_.empty()) guards_.pop_back();
  }

  void charge(std::uint64_t bytes) {
    const groups::GroupIndex owner = groups::charge_allocation(bytes);
    RC_ASSERT(owner == (guards_.empty() ? groups::kRootIndex : guards_.back().number));
    blocks_.push_back({owner, guards_.empty() ? "root" : guards_.back().name, bytes});
    counted_.allocated_bytes += bytes;
    counted_.allocated_objects += 1;
  }

  void release(std::size_t which) {
    if (blocks_.empty()) return;
    Block& block = blocks_[which % blocks_.size()];
    groups::charge_release(block.owner, block.bytes);
    counted_.deallocated_bytes += block.bytes;
    counted_.deallocated_objects += 1;
    block = blocks_.back();
    blocks_.pop_back();
  }

  // Makes the registry look through the retired groups.
  static void churn() {
    for (int i = 0; i < 200; ++i) ResourceGroupRegistry::global().retire(testing::fresh_group("law_churn"));
  }

  ResourceStatsSnapshot before_ = ResourceGroupRegistry::global().totals();
  ResourceStatsSnapshot counted_;
  bool is_registered_[kNames] = {};
  ResourceGroupToken tokens_[kNames];
  std::vector<Entered> guards_;
  std::vector<Block> blocks_;
};

RC_GTEST_PROP(RegistryLaws, SumsAndOwnersHoldForAnyHistory, ()) {
  const auto choices = *rc::gen::container<std::vector<std::uint32_t>>(rc::gen::inRange<std::uint32_t>(0, 1U << 30));
  History history;
  for (const std::uint32_t choice : choices) history.step(choice);
  history.check();
  history.finish();
  history.check();
}

}  // namespace
}  // namespace bursar
