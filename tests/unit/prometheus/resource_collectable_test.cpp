#include <bursar/prometheus/resource_collectable.h>

#include <bursar/alloc/tracking_resource.h>
#include <bursar/limiter/memory_limiter.h>
#include <bursar/report/resource_api_handler.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <prometheus/text_serializer.h>

#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace bursar {
namespace {

using ::prometheus::ClientMetric;
using ::prometheus::MetricFamily;
using testing::HasSubstr;
using testing::UnorderedElementsAreArray;

// Every line without its value, which moves on between two looks: names, types, help and labels.
std::vector<std::string> lines_without_values(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(line.starts_with('#') ? line : line.substr(0, line.rfind(' ')));
  }
  return lines;
}

std::string text_of(const std::vector<MetricFamily>& families) {
  return ::prometheus::TextSerializer().Serialize(families);
}

ComponentRegistry unruly_components() {
  ComponentRegistry registry;
  for (const std::string_view name : {"collected.plain", "<script>\"\\", "größe"}) {
    const auto builder = registry.get_or_create(name).bounds_builder();
    builder.minimum().with_fixed_amount("minimum", 1000);
    builder.firm().with_fixed_amount("firm", 234);
    static_cast<void>(registry.get_or_create(name).token());
  }
  return registry;
}

const ClientMetric* find(const std::vector<MetricFamily>& families, std::string_view name, std::string_view label) {
  for (const MetricFamily& family : families) {
    for (const ClientMetric& metric : family.metric) {
      if (family.name == name && (label.empty() ? metric.label.empty() : metric.label.at(0).value == label)) {
        return &metric;
      }
    }
  }
  return nullptr;
}

TEST(ResourceCollectable, HasTheFamiliesAndSeriesOfTheTextExposition) {
  const ComponentRegistry components = unruly_components();
  const MemoryGrant grant = MemoryGrant::with_slop_factor(64 << 20, 0.25).value();
  const MemoryLimiter limiter = MemoryLimiter::noop();
  ResourceApiOptions options;
  options.limiter = &limiter;
  options.grant = grant;
  const ResourceCollectable collectable(components.root(), options);
  const std::string text = ResourceApiHandler(components.root(), options).handle("GET", "/metrics").body;
  const auto lines = lines_without_values(text);
  EXPECT_GT(lines.size(), 50U);
  EXPECT_THAT(lines_without_values(text_of(collectable.Collect())), UnorderedElementsAreArray(lines));
}

TEST(ResourceCollectable, HasTheFiguresOfTheBooks) {
  ComponentRegistry components;
  const auto node = components.get_or_create("collected.figures");
  const auto builder = node.bounds_builder();
  builder.minimum().with_fixed_amount("minimum", 1000);
  builder.firm().with_fixed_amount("firm", 234);
  TrackingResource resource(node.token());
  void* const block = resource.allocate(100'000);
  const auto families = ResourceCollectable(components.root()).Collect();
  resource.deallocate(block, 100'000);

  const ClientMetric* const live = find(families, "bursar_group_live_objects", "collected.figures");
  ASSERT_NE(live, nullptr);
  EXPECT_EQ(live->gauge.value, 1);
  const ClientMetric* const allocated = find(families, "bursar_group_allocated_objects_total", "collected.figures");
  ASSERT_NE(allocated, nullptr);
  EXPECT_EQ(allocated->counter.value, 1);
  const ClientMetric* const minimum = find(families, "bursar_component_minimum_required_bytes", "collected.figures");
  ASSERT_NE(minimum, nullptr);
  EXPECT_EQ(minimum->gauge.value, 1000);
}

TEST(ResourceCollectable, ShowsGrantAndLimiterWhereItIsGivenThem) {
  const ComponentRegistry components;
  EXPECT_EQ(find(ResourceCollectable(components.root()).Collect(), "bursar_memory_limit_bytes", ""), nullptr);
  ResourceApiOptions options;
  options.grant = MemoryGrant::effective(12'345).value();
  const auto families = ResourceCollectable(components.root(), options).Collect();
  const ClientMetric* const limit = find(families, "bursar_memory_limit_bytes", "");
  ASSERT_NE(limit, nullptr);
  EXPECT_EQ(limit->gauge.value, 12'345);
}

TEST(ResourceCollectable, ShowsWhatTheProgramAdds) {
  const ComponentRegistry components;
  ResourceApiOptions options;
  options.extra_metrics = [](std::string& text, ExpositionFormat format) {
    EXPECT_EQ(format, ExpositionFormat::PrometheusText);
    text += "# HELP mine Of mine.\n# TYPE mine gauge\nmine{a=\"b\"} 7\n";
  };
  const auto families = ResourceCollectable(components.root(), options).Collect();
  const ClientMetric* const mine = find(families, "mine", "b");
  ASSERT_NE(mine, nullptr);
  EXPECT_EQ(mine->gauge.value, 7);
}

TEST(ResourceCollectable, IsNotMisledByARouteOfTheProgram) {
  const ComponentRegistry components;
  ResourceApiOptions options;
  options.routes["/metrics"] = [](const ApiRequest&) { return ApiResponse(); };
  EXPECT_FALSE(ResourceCollectable(components.root(), options).Collect().empty());
}

TEST(ResourceCollectable, MayBeAskedByAnyThread) {
  const ComponentRegistry components = unruly_components();
  const ResourceCollectable collectable(components.root());
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&collectable] {
      for (int time = 0; time < 20; ++time) {
        EXPECT_FALSE(collectable.Collect().empty());
      }
    });
  }
}

TEST(ResourceCollectable, LetsPrometheusCppWriteNamesThatBreakNothing) {
  const ComponentRegistry components = unruly_components();
  const std::string text = text_of(ResourceCollectable(components.root()).Collect());
  EXPECT_THAT(text, HasSubstr(R"(bursar_component_minimum_required_bytes{component="<script>\"\\"} 1000)"));
  EXPECT_THAT(text, HasSubstr(R"(bursar_component_firm_limit_bytes{component="größe"} 234)"));
}

}  // namespace
}  // namespace bursar
