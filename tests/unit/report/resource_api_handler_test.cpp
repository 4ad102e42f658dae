#include <bursar/report/resource_api_handler.h>

#include "unit/report/exposition.h"

#include <bursar/alloc/tracking_resource.h>
#include <bursar/groups/resource_group_registry.h>

#include <nlohmann/json.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory_resource>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace bursar {
namespace {

using Json = nlohmann::json;
using test::Exposition;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

static_assert(std::is_same_v<ResourceAPIHandler, ResourceApiHandler>);

ComponentRegistry registry_with(std::string_view name, std::size_t minimum, std::size_t firm) {
  ComponentRegistry registry;
  const auto builder = registry.get_or_create(name).bounds_builder();
  builder.minimum().with_fixed_amount("minimum", minimum);
  builder.firm().with_fixed_amount("firm", firm);
  return registry;
}

// A limiter that has decided on `state`.
MemoryLimiter limiter_in(LimiterState state, LimiterMode mode = LimiterMode::On) {
  MemoryLimiterOptions options;
  options.mode = mode;
  options.usage_sensors = {[]() -> std::optional<std::uint64_t> { return 990; }};
  options.policy = [state](const MemoryReading&) {
    return LimiterDecision{.state = state, .backoff = std::chrono::milliseconds(2)};
  };
  options.background_thread = false;
  auto limiter = MemoryLimiter::create(MemoryGrant::effective(1000).value(), options);
  EXPECT_TRUE(limiter.has_value());
  static_cast<void>(limiter->poll());
  return *std::move(limiter);
}

ResourceApiHandler handler_with(const MemoryLimiter& limiter) {
  ResourceApiOptions options;
  options.limiter = &limiter;
  return ResourceApiHandler(ComponentRegistry().root(), options);
}

TEST(ResourceApiHandler, StatusHasExactlyTheShapeOfTheContract) {
  const ComponentRegistry registry = registry_with("handler_test.status", 100, 50);
  TrackingResource memory(registry.get_or_create("handler_test.status").token());
  const std::pmr::vector<char> held(5000, &memory);
  const std::uint64_t live = registry.get_or_create("handler_test.status").token().stats().totals().live_bytes();
  ASSERT_GE(live, 5000U);

  const auto response = ResourceApiHandler(registry.root()).handle("GET", "/memory/status");
  EXPECT_EQ(response.status, 200U);
  EXPECT_EQ(response.content_type, "application/json");
  Json status = Json::parse(response.body);
  // Whatever else this process has allocated in the root group.
  EXPECT_TRUE(status.at("root").at("actual_live_bytes").is_number_unsigned());
  status.at("root").at("actual_live_bytes") = 0;
  EXPECT_EQ(status,
            Json({{"handler_test", {{"minimum_required_bytes", 0}, {"firm_limit_bytes", 0}, {"actual_live_bytes", 0}}},
                  {"handler_test.status",
                   {{"minimum_required_bytes", 100}, {"firm_limit_bytes", 50}, {"actual_live_bytes", live}}},
                  {"root", {{"minimum_required_bytes", 0}, {"firm_limit_bytes", 0}, {"actual_live_bytes", 0}}}}));
}

TEST(ResourceApiHandler, ReadingTheStatusChangesNothing) {
  const ComponentRegistry registry = registry_with("handler_test.unasked", 100, 50);
  const ResourceApiHandler handler(registry.root());
  for (const char* path : {"/memory/status", "/resources", "/bounds", "/metrics"}) {
    static_cast<void>(handler.handle("GET", path));
  }
  bool registered = false;
  ResourceGroupRegistry::global().visit_resource_groups(
      [&](std::string_view name, const ResourceStats&) { registered |= name == "handler_test.unasked"; });
  EXPECT_FALSE(registered);
}

TEST(ResourceApiHandler, AnswersEachRouteInItsType) {
  const ResourceApiHandler handler(ComponentRegistry().root());
  const auto type_of = [&](std::string_view path) {
    const auto response = handler.handle("GET", path);
    return std::to_string(response.status) + " " + response.content_type;
  };
  EXPECT_EQ(type_of("/memory/status"), "200 application/json");
  EXPECT_EQ(type_of("/bounds"), "200 application/json");
  EXPECT_EQ(type_of("/resources"), "200 application/json");
  EXPECT_EQ(type_of("/metrics"), "200 text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(type_of("/healthz"), "200 text/plain; charset=utf-8");
  EXPECT_EQ(type_of("/readyz"), "200 text/plain; charset=utf-8");
}

TEST(ResourceApiHandler, IgnoresTheQuery) {
  const ResourceApiHandler handler(ComponentRegistry().root());
  EXPECT_EQ(handler.handle("GET", "/healthz?a=b&c").body, "ok\n");
  EXPECT_EQ(handler.handle("GET", "/healthz?").body, "ok\n");
}

TEST(ResourceApiHandler, AnswersHeadWithTheLengthInPlaceOfTheBody) {
  const ResourceApiHandler handler(registry_with("handler_test.head", 1, 1).root());
  const auto get = handler.handle("GET", "/bounds");
  const auto head = handler.handle("HEAD", "/bounds");
  EXPECT_EQ(head.status, 200U);
  EXPECT_EQ(head.content_type, get.content_type);
  EXPECT_EQ(head.body, "");
  EXPECT_EQ(head.content_length, get.body.size());
}

TEST(ResourceApiHandler, SaysWhichPathsThereAre) {
  const ResourceApiHandler handler(ComponentRegistry().root());
  for (const char* target : {"/nothing", "", "healthz", "/healthz/", "//healthz", "*", "http://x/healthz"}) {
    const auto response = handler.handle("GET", target);
    EXPECT_EQ(response.status, 404U) << target;
    EXPECT_EQ(response.content_type, "application/json");
  }
  EXPECT_EQ(Json::parse(handler.handle("GET", "/\"\n").body).at("error"),
            "there is no /\"\n here, but /bounds, /healthz, /memory/status, /metrics, /readyz, /resources");
}

TEST(ResourceApiHandler, SaysWhichMethodsThereAre) {
  const ResourceApiHandler handler(ComponentRegistry().root());
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "get", ""}) {
    const auto response = handler.handle(method, "/metrics");
    EXPECT_EQ(response.status, 405U) << method;
    EXPECT_THAT(response.headers, ElementsAre(Pair("Allow", "GET, HEAD")));
  }
  EXPECT_EQ(Json::parse(handler.handle("POST", "/metrics").body).at("error"),
            "/metrics answers GET and HEAD, not POST");
  EXPECT_EQ(handler.handle("POST", "/nothing").status, 404U);
}

TEST(ResourceApiHandler, IsReadyUnlessTheLimiterSheds) {
  const MemoryLimiter normal = limiter_in(LimiterState::Normal);
  const MemoryLimiter soft = limiter_in(LimiterState::Soft);
  const MemoryLimiter hard = limiter_in(LimiterState::Hard);
  const MemoryLimiter observed = limiter_in(LimiterState::Hard, LimiterMode::Observe);
  EXPECT_EQ(handler_with(normal).handle("GET", "/readyz").status, 200U);
  EXPECT_EQ(handler_with(soft).handle("GET", "/readyz").status, 200U);
  EXPECT_EQ(handler_with(observed).handle("GET", "/readyz").status, 200U);
  const auto refused = handler_with(hard).handle("GET", "/readyz");
  EXPECT_EQ(refused.status, 503U);
  EXPECT_EQ(refused.body, "not ready: the memory limiter is in state hard, 990 of 1000 bytes are in use\n");
  EXPECT_EQ(handler_with(hard).handle("GET", "/healthz").status, 200U);
}

TEST(ResourceApiHandler, NegotiatesTheFormatOfTheMetrics) {
  const ResourceApiHandler handler(ComponentRegistry().root());
  const auto response = handler.handle("GET", "/metrics", "application/openmetrics-text;version=1.0.0");
  EXPECT_EQ(response.content_type, "application/openmetrics-text; version=1.0.0; charset=utf-8");
  EXPECT_THAT(Exposition::parse(response.body, ExpositionFormat::OpenMetrics).errors, IsEmpty());
  EXPECT_THAT(Exposition::parse(handler.handle("GET", "/metrics").body, ExpositionFormat::PrometheusText).errors,
              IsEmpty());
}

TEST(ResourceApiHandler, PutsTheProgramsMetricsBehindItsOwn) {
  ResourceApiOptions options;
  options.extra_metrics = [](std::string& text, ExpositionFormat format) {
    text += "# HELP extra Extra.\n# TYPE extra gauge\nextra " +
            std::string(format == ExpositionFormat::OpenMetrics ? "1" : "0") + "\n";
  };
  const ResourceApiHandler handler(ComponentRegistry().root(), options);
  EXPECT_TRUE(handler.handle("GET", "/metrics").body.ends_with("\nextra 0\n"));
  EXPECT_TRUE(handler.handle("GET", "/metrics", "application/openmetrics-text").body.ends_with("\nextra 1\n# EOF\n"));
}

TEST(ResourceApiHandler, AnswersTheProgramsRoutesFirst) {
  ResourceApiOptions options;
  const auto route = [](const ApiRequest& request) {
    return ApiResponse{.status = 200,
                       .content_type = "text/html",
                       .body = "page " + std::string(request.target),
                       .content_length = std::nullopt,
                       .headers = {}};
  };
  options.routes = {{"/", route}, {"/healthz", route}};
  const ResourceApiHandler handler(ComponentRegistry().root(), options);
  EXPECT_EQ(handler.handle("GET", "/?a").body, "page /?a");
  EXPECT_EQ(handler.handle("GET", "/healthz").body, "page /healthz");
  EXPECT_EQ(handler.handle("POST", "/").status, 405U);
  EXPECT_EQ(handler.handle("HEAD", "/").content_length, 6U);
}

TEST(ResourceApiHandler, TellsTheGrant) {
  ResourceApiOptions options;
  options.grant = MemoryGrant::with_slop_factor(1000, 0.25).value();
  const ResourceApiHandler handler(ComponentRegistry().root(), options);
  const auto metrics = Exposition::parse(handler.handle("GET", "/metrics").body, ExpositionFormat::PrometheusText);
  EXPECT_EQ(metrics.value_of("bursar_memory_limit_bytes"), "1000");
  EXPECT_EQ(metrics.value_of("bursar_memory_effective_limit_bytes"), "750");
  EXPECT_EQ(Json::parse(handler.handle("GET", "/resources").body).at("grant").at("effective_limit_bytes"), 750);
}

TEST(ResourceApiHandler, ServesSeveralThreadsWhileComponentsAppear) {
  const ComponentRegistry registry;
  const ResourceApiHandler handler(registry.root());
  std::atomic<int> wrong{0};
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&] {
        for (int round = 0; round < 20; ++round) {
          for (const char* path : {"/memory/status", "/resources", "/bounds", "/metrics"}) {
            wrong += handler.handle("GET", path).status == 200 ? 0 : 1;
          }
        }
      });
    }
    for (int component = 0; component < 50; ++component) {
      const auto made = registry.get_or_create("handler_test.threads." + std::to_string(component));
      made.bounds_builder().minimum().with_fixed_amount("a", 1);
      static_cast<void>(made.token());
    }
  }
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace bursar
