#include <bursar/bounds/container_usage.h>

#include <gtest/gtest.h>
#include <malloc.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <limits>
#include <memory>
#include <string>
#include <thread>

namespace bursar {
namespace {

// What the containers of the test in hand hold.
std::size_t held_bytes = 0;

// Counts each block at what it is charged for.
template <typename T>
struct CountingAllocator {
  using value_type = T;

  CountingAllocator() = default;
  template <typename U>
  CountingAllocator(const CountingAllocator<U>&) noexcept {}  // NOLINT(google-explicit-constructor)

  T* allocate(std::size_t count) {
    held_bytes += charged_block_bytes(count * sizeof(T));
    return std::allocator<T>().allocate(count);
  }
  void deallocate(T* block, std::size_t count) noexcept {
    held_bytes -= charged_block_bytes(count * sizeof(T));
    std::allocator<T>().deallocate(block, count);
  }
  friend bool operator==(CountingAllocator, CountingAllocator) { return true; }
};

template <std::size_t kBytes>
struct Record {
  std::array<char, kBytes> bytes{};
};

// Not declared noexcept, so libstdc++ keeps its answer in the node.
struct CarefulHash {
  std::size_t operator()(int key) const { return static_cast<std::size_t>(key); }
};

constexpr std::size_t kLengths[] = {0,  1,  2,  3,   7,   8,    13,   14,     15,     16,
                                    63, 64, 65, 127, 128, 1000, 4097, 20'000, 100'000};

template <typename Container>
std::size_t usage_bytes(std::size_t length) {
  return container_usage<Container>("container", length).evaluate().value();
}

// Whether `make(length)` holds what is foretold, for lengths that meet each kind of rounding.
template <typename Container, typename Make>
void expect_exact(Make make) {
  for (const std::size_t length : kLengths) {
    ASSERT_EQ(held_bytes, 0U);
    const Container container = make(length);
    EXPECT_EQ(held_bytes, usage_bytes<Container>(length)) << "length " << length;
  }
}

template <typename Container>
Container made_with(std::size_t length) {
  return Container(length);
}

template <typename Container>
Container filled(std::size_t length) {
  Container container;
  for (std::size_t index = 0; index < length; ++index) container.insert(static_cast<int>(index));
  return container;
}

template <typename Container>
Container filled_map(std::size_t length) {
  Container container;
  for (std::size_t index = 0; index < length; ++index) container.insert({static_cast<int>(index), {}});
  return container;
}

template <typename Container>
Container reserved_and_filled(std::size_t length) {
  Container container;
  if (length != 0) container.reserve(length);
  for (std::size_t index = 0; index < length; ++index) container.insert(static_cast<int>(index));
  return container;
}

template <typename Container>
Container reserved_and_filled_map(std::size_t length) {
  Container container;
  if (length != 0) container.reserve(length);
  for (std::size_t index = 0; index < length; ++index) container.insert({static_cast<int>(index), {}});
  return container;
}

template <std::size_t kBytes>
using Vector = std::vector<Record<kBytes>, CountingAllocator<Record<kBytes>>>;
template <std::size_t kBytes>
using Deque = std::deque<Record<kBytes>, CountingAllocator<Record<kBytes>>>;
template <std::size_t kBytes>
using List = std::list<Record<kBytes>, CountingAllocator<Record<kBytes>>>;
template <std::size_t kBytes>
using ForwardList = std::forward_list<Record<kBytes>, CountingAllocator<Record<kBytes>>>;
template <typename Value>
using Map = std::map<int, Value, std::less<>, CountingAllocator<std::pair<const int, Value>>>;
template <typename Value, typename Hash = std::hash<int>>
using UnorderedMap =
    std::unordered_map<int, Value, Hash, std::equal_to<>, CountingAllocator<std::pair<const int, Value>>>;
using Set = std::set<int, std::less<>, CountingAllocator<int>>;
using UnorderedSet = std::unordered_set<int, std::hash<int>, std::equal_to<>, CountingAllocator<int>>;

TEST(ContainerUsage, OfVectorsIsExact) {
  expect_exact<Vector<1>>(made_with<Vector<1>>);
  expect_exact<Vector<8>>(made_with<Vector<8>>);
  expect_exact<Vector<100>>(made_with<Vector<100>>);
}

TEST(ContainerUsage, OfAReservedVectorIsExactWhenItIsFull) {
  const auto make = [](std::size_t length) {
    Vector<24> container;
    container.reserve(length);
    for (std::size_t index = 0; index < length; ++index) container.emplace_back();
    return container;
  };
  expect_exact<Vector<24>>(make);
}

TEST(ContainerUsage, OfVectorsOfBoolIsExact) {
  using Container = std::vector<bool, CountingAllocator<bool>>;
  expect_exact<Container>(made_with<Container>);
}

TEST(ContainerUsage, OfStringsIsExactShortOnesTakeNothing) {
  using Container = std::basic_string<char, std::char_traits<char>, CountingAllocator<char>>;
  using Wide = std::basic_string<char32_t, std::char_traits<char32_t>, CountingAllocator<char32_t>>;
  expect_exact<Container>([](std::size_t length) { return Container(length, 'x'); });
  expect_exact<Wide>([](std::size_t length) { return Wide(length, U'x'); });
  EXPECT_EQ(usage_bytes<std::string>(std::string().capacity()), 0U);
  EXPECT_GT(usage_bytes<std::string>(std::string().capacity() + 1), 0U);
}

TEST(ContainerUsage, OfDequesIsExact) {
  expect_exact<Deque<1>>(made_with<Deque<1>>);
  expect_exact<Deque<8>>(made_with<Deque<8>>);
  expect_exact<Deque<100>>(made_with<Deque<100>>);
  expect_exact<Deque<600>>(made_with<Deque<600>>);
}

TEST(ContainerUsage, OfListsIsExact) {
  expect_exact<List<1>>(made_with<List<1>>);
  expect_exact<List<40>>(made_with<List<40>>);
  expect_exact<ForwardList<1>>(made_with<ForwardList<1>>);
  expect_exact<ForwardList<40>>(made_with<ForwardList<40>>);
}

TEST(ContainerUsage, OfTreesIsExact) {
  using MultiSet = std::multiset<int, std::less<>, CountingAllocator<int>>;
  using MultiMap = std::multimap<int, Record<9>, std::less<>, CountingAllocator<std::pair<const int, Record<9>>>>;
  expect_exact<Set>(filled<Set>);
  expect_exact<MultiSet>(filled<MultiSet>);
  expect_exact<Map<char>>(filled_map<Map<char>>);
  expect_exact<Map<Record<40>>>(filled_map<Map<Record<40>>>);
  expect_exact<Map<double>>(filled_map<Map<double>>);
  expect_exact<MultiMap>(filled_map<MultiMap>);
}

TEST(ContainerUsage, OfHashTablesIsExact) {
  using MultiSet = std::unordered_multiset<int, std::hash<int>, std::equal_to<>, CountingAllocator<int>>;
  using MultiMap = std::unordered_multimap<int, Record<9>, std::hash<int>, std::equal_to<>,
                                           CountingAllocator<std::pair<const int, Record<9>>>>;
  expect_exact<UnorderedSet>(reserved_and_filled<UnorderedSet>);
  expect_exact<MultiSet>(reserved_and_filled<MultiSet>);
  expect_exact<UnorderedMap<char>>(reserved_and_filled_map<UnorderedMap<char>>);
  expect_exact<UnorderedMap<Record<40>>>(reserved_and_filled_map<UnorderedMap<Record<40>>>);
  expect_exact<MultiMap>(reserved_and_filled_map<MultiMap>);
}

TEST(ContainerUsage, OfHashTablesThatKeepTheHashIsExact) {
  using Careful = UnorderedMap<int, CarefulHash>;
  expect_exact<Careful>(reserved_and_filled_map<Careful>);
  EXPECT_GT(usage_bytes<Careful>(100), usage_bytes<UnorderedMap<int>>(100));
}

TEST(ContainerUsage, OfHashTablesWithStringsAsKeysIsExact) {
  using Container = std::unordered_map<std::string, int, std::hash<std::string>, std::equal_to<>,
                                       CountingAllocator<std::pair<const std::string, int>>>;
  const auto make = [](std::size_t length) {
    Container container;
    if (length != 0) container.reserve(length);
    for (std::size_t index = 0; index < length; ++index) container.emplace(std::to_string(index), 0);
    return container;
  };
  expect_exact<Container>(make);
}

TEST(ContainerUsage, OfAnAdaptorIsThatOfTheContainerBelow) {
  EXPECT_EQ(usage_bytes<std::queue<int>>(1000), usage_bytes<std::deque<int>>(1000));
  EXPECT_EQ((usage_bytes<std::stack<int, std::vector<int>>>(1000)), usage_bytes<std::vector<int>>(1000));
  EXPECT_EQ(usage_bytes<std::priority_queue<int>>(1000), usage_bytes<std::vector<int>>(1000));
}

TEST(ContainerUsage, TheAllocatorMakesNoDifference) {
  EXPECT_EQ((usage_bytes<std::map<int, char>>(1000)), usage_bytes<Map<char>>(1000));
  EXPECT_EQ((usage_bytes<std::unordered_map<int, char>>(1000)), usage_bytes<UnorderedMap<char>>(1000));
}

static_assert(StandardContainer<std::vector<int>>);
static_assert(!StandardContainer<std::array<int, 4>>);
static_assert(!StandardContainer<int>);

// The value of `expr` with `length` in place of every value of the configuration.
std::size_t with_length(const UsageExpr& expr, std::size_t length) {
  if (expr.kind() == UsageExpr::Kind::Config) return length;
  if (expr.operands().empty()) return expr.value();
  std::size_t result = expr.kind() == UsageExpr::Kind::Product ? 1 : 0;
  for (const UsageExpr& operand : expr.operands()) {
    const std::size_t value = with_length(operand, length);
    result = expr.kind() == UsageExpr::Kind::Product ? result * value : result + value;
  }
  return result;
}

TEST(ContainerUsage, CanBeWorkedOutForAnotherLength) {
  EXPECT_EQ(with_length(container_usage<std::map<int, double>>("m", 1000), 5000),
            (usage_bytes<std::map<int, double>>(5000)));
  const std::size_t vector = with_length(container_usage<std::vector<double>>("v", 1000), 5000);
  EXPECT_NEAR(static_cast<double>(vector), static_cast<double>(usage_bytes<std::vector<double>>(5000)), 16);
}

TEST(ContainerUsage, ALengthThatNoMemoryHoldsIsAnOverflow) {
  constexpr std::size_t kMax = std::numeric_limits<std::size_t>::max();
  EXPECT_FALSE(container_usage<std::vector<double>>("v", kMax).evaluate().has_value());
  EXPECT_FALSE(container_usage<std::u32string>("s", kMax).evaluate().has_value());
  EXPECT_FALSE(container_usage<std::deque<double>>("d", kMax).evaluate().has_value());
  EXPECT_FALSE(container_usage<std::list<double>>("l", kMax).evaluate().has_value());
  EXPECT_FALSE((container_usage<std::unordered_map<int, int>>("u", kMax).evaluate().has_value()));
}

RC_GTEST_PROP(ContainerUsageLaws, NeverLessThanThePayload, ()) {
  const auto length = *rc::gen::inRange<std::size_t>(0, std::size_t{1} << 40);
  RC_ASSERT(usage_bytes<std::vector<int>>(length) >= length * sizeof(int));
  RC_ASSERT(usage_bytes<std::deque<int>>(length) >= length * sizeof(int));
  RC_ASSERT(usage_bytes<std::list<int>>(length) >= length * sizeof(int));
  RC_ASSERT(usage_bytes<std::unordered_set<int>>(length) >= length * sizeof(int));
}

// The sanitizers bring a malloc of their own.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define GLIBC_MALLOC 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define GLIBC_MALLOC 0
#endif
#endif
#ifndef GLIBC_MALLOC
#define GLIBC_MALLOC 1
#endif

#if GLIBC_MALLOC
using Block = std::unique_ptr<void, decltype(&std::free)>;

// What malloc gives for the request and the tag of 4 bytes, for several blocks that are held at once.
std::vector<std::size_t> usable_bytes(std::size_t requested_bytes) {
  constexpr std::size_t kBlocks = 32;
  std::vector<Block> blocks;
  std::vector<std::size_t> result;
  for (std::size_t index = 0; index < kBlocks; ++index) {
    const Block& block = blocks.emplace_back(std::malloc(requested_bytes + 4), &std::free);
    result.push_back(::malloc_usable_size(block.get()));
  }
  return result;
}

// The least: a block may lie in a free chunk that is a step larger, which malloc does not split.
TEST(ChargedBlockBytes, IsWhatMallocSaysForBlocksOfTheHeap) {
  for (std::size_t bytes = 0; bytes < 131'000; bytes += bytes < 2000 ? 1 : 37) {
    EXPECT_EQ(charged_block_bytes(bytes), std::ranges::min(usable_bytes(bytes))) << bytes;
  }
}

// The most, on a thread of its own: a block may lie in a free chunk of the heap instead of pages of its own, and the
// heap of a new thread has few. Setting the threshold keeps malloc from raising it.
TEST(ChargedBlockBytes, IsWhatMallocSaysForBlocksThatAreMapped) {
  ASSERT_EQ(::mallopt(M_MMAP_THRESHOLD, 128 * 1024), 1);
  const std::jthread thread([] {
    for (std::size_t bytes = 131'060; bytes < 3'000'000; bytes += 10'009) {
      EXPECT_EQ(charged_block_bytes(bytes), std::ranges::max(usable_bytes(bytes))) << bytes;
    }
  });
}
#endif

}  // namespace
}  // namespace bursar
