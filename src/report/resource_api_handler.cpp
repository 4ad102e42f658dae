#include <bursar/report/resource_api_handler.h>

#include "report/high_water_mark.h"
#include "report/look_back.h"

#include <bursar/base/json_escape.h>
#include <bursar/report/exposition_writer.h>
#include <bursar/report/process_readings.h>
#include <bursar/report/resource_json.h>
#include <bursar/report/resource_metrics.h>
#include <bursar/report/resource_report.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <utility>

namespace bursar {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kText = "text/plain; charset=utf-8";

ApiResponse respond(unsigned status, std::string_view type, std::string body) {
  return {.status = status,
          .content_type = std::string(type),
          .body = std::move(body),
          .content_length = std::nullopt,
          .headers = {}};
}

ApiResponse error(unsigned status, const std::string& message) {
  return respond(status, kJson, "{\"error\": " + json_string(message) + "}\n");
}

}  // namespace

ResourceApiOptions ResourceApiOptions::of(const ResourceAccounting& accounting) {
  ResourceApiOptions options;
  options.limiter = &accounting.limiter();
  options.bound_watch = &accounting.bound_watch();
  options.grant = accounting.grant();
  return options;
}

class ResourceApiHandler::Routes {
 public:
  Routes(ComponentRegistryHandle components, ResourceApiOptions options)
      : components_(std::move(components)), options_(std::move(options)), process_(options_.system_root) {
    // What the program adds comes first, so that it wins.
    routes_ = options_.routes;
    add("/memory/status", [this] { return respond(200, kJson, components_.memory_snapshot_json()); });
    add("/resources", [this] { return respond(200, kJson, resources()); });
    add("/bounds", [this] { return respond(200, kJson, bounds_json(components_.as_bounds())); });
    add("/healthz", [] { return respond(200, kText, "ok\n"); });
    add("/readyz", [this] { return readiness(); });
    routes_.try_emplace("/metrics", [this](const ApiRequest& request) { return metrics(request.accept); });
  }
  Routes(const Routes&) = delete;
  Routes& operator=(const Routes&) = delete;

  [[nodiscard]] ApiResponse answer(const ApiRequest& request) const {
    const std::string_view path = request.target.substr(0, request.target.find_first_of("?#"));
    const auto route = routes_.find(path);
    if (route == routes_.end()) {
      return error(404, "there is no " + std::string(path) + " here, but " + known_paths());
    }
    if (request.method != "GET" && request.method != "HEAD") {
      ApiResponse refused = error(405, std::string(path) + " answers GET and HEAD, not " + std::string(request.method));
      refused.headers.emplace_back("Allow", "GET, HEAD");
      return refused;
    }
    return route->second(request);
  }

 private:
  template <typename Answer>
  void add(std::string_view path, Answer answer) {
    routes_.try_emplace(std::string(path), [answer = std::move(answer)](const ApiRequest&) { return answer(); });
  }

  [[nodiscard]] ResourceReport report() const {
    return take_resource_report(components_, process_, options_.grant, options_.limiter, options_.bound_watch);
  }

  [[nodiscard]] std::string resources() const {
    const auto now = std::make_shared<const ResourceReport>(report());
    const auto kept = look_back_.keep(now, std::chrono::steady_clock::now());
    if (!kept) {
      return resources_json(*now, read_allocator());
    }
    const EarlierReport earlier{.report = *kept->report, .elapsed = kept->elapsed};
    return resources_json(*now, read_allocator(), &earlier);
  }

  [[nodiscard]] std::string known_paths() const {
    std::string paths;
    for (const auto& [path, route] : routes_) {
      paths += paths.empty() ? path : ", " + path;
    }
    return paths;
  }

  [[nodiscard]] ApiResponse metrics(std::string_view accept) const {
    const ExpositionFormat format = negotiate_exposition_format(accept);
    const ResourceReport read = report();
    const auto unattributed_cpu_nanos = read.unattributed_cpu_nanos().transform(
        [this](std::uint64_t nanos) { return unattributed_cpu_nanos_.raised_to(nanos); });
    std::string text;
    ExpositionWriter writer(text, format);
    write_resource_metrics(read, unattributed_cpu_nanos, writer);
    if (options_.extra_metrics) {
      options_.extra_metrics(text, format);
    }
    writer.end();
    return respond(200, content_type(format), std::move(text));
  }

  [[nodiscard]] ApiResponse readiness() const {
    if (options_.limiter == nullptr || !options_.limiter->should_shed()) {
      return respond(200, kText, "ready\n");
    }
    const LimiterReading limiter = LimiterReading::of(*options_.limiter);
    std::string reason = "not ready: the memory limiter is in state " + std::string(to_string(limiter.state));
    if (limiter.usage_bytes && limiter.effective_limit_bytes) {
      reason += ", " + std::to_string(*limiter.usage_bytes) + " of " + std::to_string(*limiter.effective_limit_bytes) +
                " bytes are in use";
    }
    return respond(503, kText, reason + "\n");
  }

  const ComponentRegistryHandle components_;
  const ResourceApiOptions options_;
  const ProcessSensor process_;
  std::map<std::string, ApiHandler, std::less<>> routes_;
  mutable report_detail::HighWaterMark unattributed_cpu_nanos_;
  mutable report_detail::LookBack look_back_;
};

ResourceApiHandler::ResourceApiHandler(ComponentRegistryHandle components, ResourceApiOptions options)
    : routes_(std::make_shared<const Routes>(std::move(components), std::move(options))) {}

ApiResponse ResourceApiHandler::handle(std::string_view method, std::string_view target,
                                       std::string_view accept) const {
  ApiResponse response = routes_->answer({.method = method, .target = target, .accept = accept});
  if (method == "HEAD") {
    response.content_length = response.content_length.value_or(response.body.size());
    response.body.clear();
  }
  return response;
}

}  // namespace bursar
