#include <bursar/bounds/component_name.h>
#include <bursar/bounds/memory_bounds.h>
#include <bursar/bounds/memory_bounds_builder.h>

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace bursar {
namespace {

struct Buffer {
  std::size_t bytes;

  void specify_bounds(MemoryBoundsBuilder& builder) const { builder.minimum().with_fixed_amount("buffer", bytes); }
};

struct Source {
  Buffer buffer;

  void specify_bounds(MemoryBoundsBuilder& builder) const {
    builder.minimum().with_single_value<Source>("source");
    builder.with_subcomponent("buffer", buffer);
  }
};

class Stage : public MemoryBoundsBase {
 public:
  explicit Stage(std::size_t bytes) : bytes_(bytes) {}
  void specify_bounds(MemoryBoundsBuilder& builder) const override {
    builder.firm().with_fixed_amount("stage", bytes_);
  }

 private:
  std::size_t bytes_;
};

struct NeedsToBeMutable {
  void specify_bounds(MemoryBoundsBuilder& builder) { builder.minimum().with_fixed_amount("x", 1); }
};

static_assert(MemoryBounds<Buffer>);
static_assert(MemoryBounds<const Buffer>);
static_assert(MemoryBounds<const Buffer&>);
static_assert(MemoryBounds<Buffer*>);
static_assert(MemoryBounds<const Buffer*>);
static_assert(MemoryBounds<std::unique_ptr<Buffer>>);
static_assert(MemoryBounds<std::unique_ptr<const Buffer>>);
static_assert(MemoryBounds<std::shared_ptr<Buffer>>);
static_assert(MemoryBounds<std::reference_wrapper<const Buffer>>);
static_assert(MemoryBounds<MemoryBoundsBase>);
static_assert(MemoryBounds<std::unique_ptr<MemoryBoundsBase>>);
static_assert(!MemoryBounds<int>);
static_assert(!MemoryBounds<std::unique_ptr<int>>);
static_assert(!MemoryBounds<NeedsToBeMutable>);
static_assert(!MemoryBounds<std::optional<Buffer>>);

// The message of the exception that `action` throws; empty where it throws none.
template <typename Action>
std::string thrown_message(Action action) {
  try {
    action();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

TEST(MemoryBoundsBuilder, ASingleValueIsTheSizeOfItsType) {
  const MemoryBoundsBuilder builder;
  builder.minimum().with_single_value<Source>("source");
  const ComponentBounds bounds = builder.as_bounds();
  EXPECT_EQ(bounds.total_minimum_required_bytes(), sizeof(Source));
  EXPECT_EQ(bounds.minimum_exprs().at(0).kind(), UsageExpr::Kind::StructSize);
  EXPECT_EQ(bounds.minimum_exprs().at(0).name(), "source");
}

TEST(MemoryBoundsBuilder, AnArrayIsItsLengthTimesTheSizeOfItsType) {
  const MemoryBoundsBuilder builder;
  builder.minimum().with_array<std::uint64_t>("slots", 1000);
  EXPECT_EQ(builder.as_bounds().total_minimum_required_bytes(), 8000U);
}

TEST(MemoryBoundsBuilder, AMapIsThePayloadOfItsEntries) {
  const MemoryBoundsBuilder builder;
  builder.firm().with_map<std::uint64_t, std::uint16_t>("contexts", 1000);
  EXPECT_EQ(builder.as_bounds().total_firm_limit_bytes(), 10'000U);
}

TEST(MemoryBoundsBuilder, TheLengthOfAnArrayAndAMapIsAValueOfTheConfiguration) {
  const MemoryBoundsBuilder builder;
  builder.minimum().with_array<char>("slots", 7).with_map<char, char>("contexts", 9);
  const ComponentBounds bounds = builder.as_bounds();
  for (const auto& [index, length] : {std::pair<std::size_t, std::size_t>{0, 7}, {1, 9}}) {
    const UsageExpr& expr = bounds.minimum_exprs().at(index);
    ASSERT_EQ(expr.kind(), UsageExpr::Kind::Product);
    EXPECT_EQ(expr.operands()[0].kind(), UsageExpr::Kind::Config);
    EXPECT_EQ(expr.operands()[0].value(), length);
  }
}

TEST(MemoryBoundsBuilder, DeclarationsChainAndAdd) {
  const MemoryBoundsBuilder builder;
  builder.minimum()
      .with_fixed_amount("a", 1)
      .with_single_value<char>("b")
      .with_array<char>("c", 3)
      .with_map<char, char>("d", 2)
      .with_expr(UsageExpr::config("e", 5))
      .with_container<std::vector<char>>("f", 20);
  EXPECT_EQ(builder.as_bounds().total_minimum_required_bytes(), 1U + 1 + 3 + 4 + 5 + 24);
}

TEST(MemoryBoundsBuilder, TheSameDeclarationTwiceCountsTwice) {
  const MemoryBoundsBuilder builder;
  builder.minimum().with_fixed_amount("a", 7);
  builder.minimum().with_fixed_amount("a", 7);
  EXPECT_EQ(builder.as_bounds().total_minimum_required_bytes(), 14U);
}

TEST(MemoryBoundsBuilder, MinimumAndFirmAreKeptApart) {
  const MemoryBoundsBuilder builder;
  builder.minimum().with_fixed_amount("a", 1);
  builder.firm().with_fixed_amount("b", 10);
  EXPECT_EQ(builder.as_bounds().total_minimum_required_bytes(), 1U);
  EXPECT_EQ(builder.as_bounds().total_firm_limit_bytes(), 11U);
}

TEST(MemoryBoundsBuilder, ASubcomponentOfOneNameIsOneComponent) {
  const MemoryBoundsBuilder builder;
  builder.subcomponent("a").minimum().with_fixed_amount("x", 1);
  builder.subcomponent("a").minimum().with_fixed_amount("y", 2);
  ASSERT_EQ(builder.as_bounds().subcomponents().size(), 1U);
  EXPECT_EQ(builder.as_bounds().subcomponents()[0].bounds.total_minimum_required_bytes(), 3U);
}

TEST(MemoryBoundsBuilder, ADottedNameIsAPath) {
  const MemoryBoundsBuilder builder;
  builder.subcomponent("a.b").minimum().with_fixed_amount("x", 1);
  builder.subcomponent("a").subcomponent("b").minimum().with_fixed_amount("y", 2);
  const ComponentBounds bounds = builder.as_bounds();
  ASSERT_EQ(bounds.subcomponents().size(), 1U);
  ASSERT_EQ(bounds.subcomponents()[0].bounds.subcomponents().size(), 1U);
  EXPECT_EQ(bounds.subcomponents()[0].bounds.subcomponents()[0].name, "b");
  EXPECT_EQ(bounds.total_minimum_required_bytes(), 3U);
}

TEST(MemoryBoundsBuilder, ComponentsAndWhatPointsToThemDescribeThemselves) {
  const Buffer buffer{.bytes = 100};
  const auto unique = std::make_unique<Buffer>(Buffer{.bytes = 200});
  const auto shared = std::make_shared<const Buffer>(Buffer{.bytes = 400});
  const Buffer& reference = buffer;
  MemoryBoundsBuilder builder;
  builder.with_subcomponent("value", buffer)
      .with_subcomponent("temporary", Buffer{.bytes = 50})
      .with_subcomponent("reference", reference)
      .with_subcomponent("pointer", &buffer)
      .with_subcomponent("unique", unique)
      .with_subcomponent("shared", shared)
      .with_subcomponent("wrapper", std::cref(buffer));
  EXPECT_EQ(builder.as_bounds().total_minimum_required_bytes(), 100U + 50 + 100 + 100 + 200 + 400 + 100);
  EXPECT_EQ(builder.as_bounds().subcomponents().size(), 7U);
}

TEST(MemoryBoundsBuilder, ComponentsOfSeveralTypesShareABase) {
  std::vector<std::unique_ptr<MemoryBoundsBase>> stages;
  stages.push_back(std::make_unique<Stage>(std::size_t{10}));
  stages.push_back(std::make_unique<Stage>(std::size_t{20}));
  const MemoryBoundsBuilder builder;
  for (const auto& stage : stages) builder.with_subcomponent("stage", stage);
  EXPECT_EQ(builder.as_bounds().total_firm_limit_bytes(), 30U);
}

TEST(MemoryBoundsBuilder, NestedComponentsNest) {
  const ComponentBounds bounds = bounds_of(Source{.buffer = {.bytes = 4096}});
  EXPECT_EQ(bounds.total_minimum_required_bytes(), sizeof(Source) + 4096);
  ASSERT_EQ(bounds.subcomponents().size(), 1U);
  EXPECT_EQ(bounds.subcomponents()[0].name, "buffer");
}

TEST(MemoryBoundsBuilder, ANullPointerIsAnErrorAndMakesNoComponent) {
  const std::unique_ptr<Buffer> none;
  const MemoryBoundsBuilder builder;
  EXPECT_EQ(thrown_message([&] { builder.with_subcomponent("a.b", none); }),
            "the subcomponent \"a.b\" is a null pointer: give an object that describes its bounds");
  EXPECT_TRUE(builder.as_bounds().subcomponents().empty());
}

TEST(MemoryBoundsBuilder, ResetLetsTheComponentAndAllBelowBeDeclaredAnew) {
  const MemoryBoundsBuilder builder;
  builder.subcomponent("a").minimum().with_fixed_amount("x", 1);
  builder.subcomponent("a.b").firm().with_fixed_amount("x", 10);
  builder.subcomponent("c").minimum().with_fixed_amount("x", 100);
  builder.subcomponent("a").reset();
  EXPECT_EQ(builder.as_bounds().total_firm_limit_bytes(), 100U);
  builder.subcomponent("a").minimum().with_fixed_amount("x", 2);
  EXPECT_EQ(builder.as_bounds().total_firm_limit_bytes(), 102U);
}

TEST(MemoryBoundsBuilder, ABuilderOutlivesTheOneThatItCameFrom) {
  auto root = std::make_unique<MemoryBoundsBuilder>();
  const MemoryBoundsBuilder component = root->subcomponent("a");
  const UsageBuilder minimum = component.minimum();
  root.reset();
  minimum.with_fixed_amount("x", 5);
  EXPECT_EQ(component.as_bounds().total_minimum_required_bytes(), 5U);
}

TEST(MemoryBoundsBuilder, ANameThatIsNoneIsAnErrorAndMakesNoComponent) {
  const MemoryBoundsBuilder builder;
  EXPECT_EQ(thrown_message([&] { (void)builder.subcomponent(""); }),
            "the component name \"\" is empty: write segments with dots between them, such as topology.sources.udp");
  for (const char* name : {".", ".a", "a.", "a..b", "..", "a.b."}) {
    EXPECT_EQ(thrown_message([&] { (void)builder.subcomponent(name); }),
              "the component name \"" + std::string(name) +
                  "\" has an empty segment: write single dots between segments, such as topology.sources.udp");
  }
  EXPECT_TRUE(builder.as_bounds().subcomponents().empty());
}

TEST(MemoryBoundsBuilder, NoTopLevelComponentIsCalledRoot) {
  const MemoryBoundsBuilder builder;
  for (const char* name : {"root", "root.a"}) {
    EXPECT_TRUE(thrown_message([&] {
                  (void)builder.subcomponent(name);
                }).starts_with("the component name \"" + std::string(name) + "\" is taken: \"root\" names the root"));
  }
  EXPECT_TRUE(builder.as_bounds().subcomponents().empty());
  EXPECT_NO_THROW((void)builder.subcomponent("a.root"));
  EXPECT_NO_THROW((void)builder.subcomponent("a").subcomponent("root"));
  EXPECT_NO_THROW((void)builder.subcomponent("roots"));
}

TEST(MemoryBoundsBuilder, TheLongestNameIsCountedWithTheComponentsAboveIt) {
  const MemoryBoundsBuilder builder;
  EXPECT_NO_THROW((void)builder.subcomponent(std::string(kMaxComponentNameLength, 'x')));
  EXPECT_NE(thrown_message([&] { (void)builder.subcomponent(std::string(kMaxComponentNameLength + 1, 'x')); }), "");
  const MemoryBoundsBuilder half = builder.subcomponent(std::string(500, 'a'));
  EXPECT_NO_THROW((void)half.subcomponent(std::string(kMaxComponentNameLength - 501, 'b')));
  EXPECT_TRUE(thrown_message([&] {
                (void)half.subcomponent(std::string(kMaxComponentNameLength - 500, 'b'));
              }).ends_with("with all components above it it has 1024 bytes, and may have 1023"));
}

TEST(MemoryBoundsBuilder, SeveralThreadsDeclareAndReadAtOnce) {
  constexpr std::size_t kThreads = 4;
  constexpr std::size_t kRounds = 200;
  const MemoryBoundsBuilder builder;
  std::vector<std::jthread> threads;
  for (std::size_t thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&builder, thread] {
      for (std::size_t round = 0; round < kRounds; ++round) {
        builder.subcomponent("shared." + std::to_string(round % 7)).minimum().with_fixed_amount("x", 1);
        builder.subcomponent("own" + std::to_string(thread)).firm().with_fixed_amount("x", 1);
        builder.subcomponent("again").firm().with_fixed_amount("x", 1);
        builder.subcomponent("again").reset();
        EXPECT_LE(builder.as_bounds().total_minimum_required_bytes(), kThreads * kRounds);
      }
    });
  }
  threads.clear();
  const ComponentBounds bounds = builder.as_bounds();
  EXPECT_EQ(bounds.total_minimum_required_bytes(), kThreads * kRounds);
  EXPECT_EQ(bounds.total_firm_limit_bytes(), 2 * kThreads * kRounds);
}

}  // namespace
}  // namespace bursar
