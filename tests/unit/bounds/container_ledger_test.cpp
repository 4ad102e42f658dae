#include <bursar/bounds/container_usage.h>
#include <bursar/groups/resource_group_registry.h>

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

namespace bursar {
namespace {

// What the ledger holds of a container that `make` makes inside a group of its own.
template <typename Make>
std::size_t charged_bytes(std::string_view group, Make make) {
  const ResourceGroupToken token = ResourceGroupRegistry::global().register_resource_group(group);
  const ResourceTrackingGuard guard(token);
  const auto container = make();
  // A compiler may leave out an allocation that nobody looks at.
  asm volatile("" : : "r"(&container) : "memory");
  return token.stats().totals().live_bytes();
}

// A free chunk that is 16 bytes too large is not split: a few blocks in a hundred may be charged a step more.
void expect_charged(std::size_t charged, const UsageExpr& foretold) {
  const std::size_t foretold_bytes = foretold.evaluate().value();
  EXPECT_GE(charged, foretold_bytes);
  EXPECT_LE(charged, foretold_bytes + foretold_bytes / 50);
}

TEST(ContainerUsageInTheLedger, OfAMapIsWhatItsGroupIsChargedFor) {
  using Map = std::map<std::uint64_t, std::array<char, 50>>;
  const std::size_t charged = charged_bytes("container_usage.map", [] {
    Map map;
    for (std::uint64_t index = 0; index < 10'000; ++index) map[index] = {};
    return map;
  });
  expect_charged(charged, container_usage<Map>("map", 10'000));
}

TEST(ContainerUsageInTheLedger, OfAHashTableIsWhatItsGroupIsChargedFor) {
  using Table = std::unordered_map<std::string, double>;
  const std::size_t charged = charged_bytes("container_usage.table", [] {
    Table table;
    table.reserve(10'000);
    for (int index = 0; index < 10'000; ++index) table.emplace(std::to_string(index), 0.0);
    return table;
  });
  expect_charged(charged, container_usage<Table>("table", 10'000));
}

TEST(ContainerUsageInTheLedger, OfAVectorIsWhatItsGroupIsChargedFor) {
  using Vector = std::vector<std::uint64_t>;
  const std::size_t charged = charged_bytes("container_usage.vector", [] { return Vector(12'345); });
  expect_charged(charged, container_usage<Vector>("vector", 12'345));
}

}  // namespace
}  // namespace bursar
