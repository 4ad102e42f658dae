#pragma once

#include <bursar/bounds/memory_grant.h>
#include <bursar/limiter/memory_limiter.h>
#include <bursar/registry/bound_watch.h>
#include <bursar/registry/component_registry.h>
#include <bursar/registry/resource_accounting.h>
#include <bursar/report/api_message.h>
#include <bursar/report/exposition_format.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace bursar {

// Appends families of metrics to `text` in `format`, without OpenMetrics' end. No family may begin with `bursar_`,
// unless the handler does not write it. Called by several threads at once.
using ExtraMetrics = std::function<void(std::string& text, ExpositionFormat format)>;

// What a ResourceApiHandler reports beside the components.
//
// Thread-safety: a plain value. Allocates: its parts. Blocks: no.
struct ResourceApiOptions {
  // REQUIRES: outlives the handler and its copies. nullptr: no limiter is reported, and the process is always ready.
  const MemoryLimiter* limiter = nullptr;
  // Looks anew at each report. REQUIRES as above; nullptr: breaches of bounds are not reported.
  BoundWatch* bound_watch = nullptr;
  std::optional<MemoryGrant> grant;
  ExtraMetrics extra_metrics;
  // By path, such as "/": further routes for GET and HEAD. They win over those below.
  std::map<std::string, ApiHandler, std::less<>> routes;
  // What stands before "/proc" and "/sys": a folder that imitates a machine.
  std::string system_root;

  // With the limiter, grant and watch of a program's accounting, which outlives the handler.
  [[nodiscard]] static ResourceApiOptions of(const ResourceAccounting& accounting);
};

// Answers what a program is asked about its resources, by whatever HTTP framework: method and target in; status,
// content type and body out. Shares of CPU are those since a look a second or two ago, or since the last one where looks
// are rarer. Query strings are ignored. HEAD answers as GET does, with the length in place of the body.
//
//   GET /memory/status   bounds and live bytes of each component       ComponentRegistryHandle::memory_snapshot_json
//   GET /resources       everything                                    resources_json
//   GET /bounds          what was declared, as expressions             bounds_json
//   GET /metrics         Prometheus text or OpenMetrics, by `accept`   write_resource_metrics, and the extra metrics
//   GET /healthz         200
//   GET /readyz          200, or 503 while the limiter sheds
//
// Another path is answered with 404, another method with 405 and `Allow`; both say in JSON what would be right.
//
// Thread-safety: all functions may be called from any thread. Allocates: yes. Blocks: as what is read.
class ResourceApiHandler {
 public:
  explicit ResourceApiHandler(ComponentRegistryHandle components, ResourceApiOptions options = {});

  [[nodiscard]] ApiResponse handle(std::string_view method, std::string_view target,
                                   std::string_view accept = "") const;

  // For HttpServer::start. Copies are of the same handler.
  [[nodiscard]] ApiResponse operator()(const ApiRequest& request) const {
    return handle(request.method, request.target, request.accept);
  }

 private:
  class Routes;

  std::shared_ptr<const Routes> routes_;
};

using ResourceAPIHandler = ResourceApiHandler;

}  // namespace bursar
