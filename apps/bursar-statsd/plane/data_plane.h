#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <bursar/registry/component_registry.h>
#include <bursar/registry/resource_accounting.h>
#include <bursar/report/process_readings.h>
#include <bursar/server/http_server.h>

#include "aggregate/aggregator.h"
#include "config/options.h"
#include "expose/prometheus_destination.h"
#include "log/bad_input_log.h"
#include "sources/source.h"
#include "sources/unix_socket.h"
#include "table/live_table.h"

namespace bursar::statsd {

// The whole program: sources, aggregator, destination and HTTP server as components of one tree, each in its group.
//
// All of them run on one thread, which takes turns: a source yields after a burst of 64 datagrams, about a millisecond
// of work, so an answer to /metrics waits for a few of those at most, however much comes in; nothing needs a lock; and
// a source that is held back by the limiter holds up nobody else. While an answer is rendered (about 1 ms for a thousand
// contexts) the kernel queues what arrives.
//
// Thread-safety: belongs to one thread. Allocates: within the bounds of its components. Blocks: `run`.
class DataPlane {
 public:
  // Verifies the bounds and opens all sockets. The error is one line.
  [[nodiscard]] static std::expected<std::unique_ptr<DataPlane>, std::string> create(const Options& options);
  ~DataPlane();
  DataPlane(const DataPlane&) = delete;
  DataPlane& operator=(const DataPlane&) = delete;

  // "listening udp=127.0.0.1:8125 tcp=... unix=PATH http=http://127.0.0.1:9102/", without what is off.
  [[nodiscard]] const std::string& listening_line() const noexcept { return listening_; }

  // Serves until SIGTERM, SIGINT or the end of the duration; then reads what is queued. A second signal ends the
  // process.
  void run();

  // After `run`: the accounts, for people and as JSON.
  [[nodiscard]] std::string summary() const;
  [[nodiscard]] std::string summary_as_json() const;

 private:
  explicit DataPlane(const Options& options);

  void declare_bounds();
  std::expected<void, std::string> start_accounting();
  std::expected<void, std::string> open_sources();
  std::expected<void, std::string> open_udp(const Endpoint& endpoint);
  std::expected<void, std::string> open_tcp(const Endpoint& endpoint);
  std::expected<void, std::string> open_unix(const std::string& path);
  std::expected<void, std::string> open_http();
  [[nodiscard]] SourceContext source_context(std::string_view component);
  [[nodiscard]] ApiHandler api_handler();

  [[nodiscard]] std::vector<const LineIntake*> intakes() const;
  void tick(std::chrono::steady_clock::time_point due);
  void stop(const char* why);
  [[nodiscard]] std::string status_line(std::chrono::nanoseconds elapsed);

  Options options_;
  ComponentRegistry components_;
  ResourceGroupToken aggregate_group_;
  ResourceGroupToken prometheus_group_;
  ResourceGroupToken api_group_;
  ParserLimits parser_limits_;
  BadInputLog bad_input_;
  std::unique_ptr<Aggregator> aggregator_;

  boost::asio::io_context io_;
  std::optional<ResourceAccounting> accounting_;  // its threads log through `io_`
  std::optional<UnixDatagramSocket> unix_socket_;
  std::vector<std::unique_ptr<Source>> sources_;
  std::unique_ptr<PrometheusDestination> prometheus_;
  std::optional<HttpServer> http_;
  boost::asio::signal_set signals_;
  boost::asio::steady_timer ticks_;
  boost::asio::steady_timer end_;
  ProcessSensor process_;
  std::optional<LiveTable> table_;
  std::uint64_t lines_at_last_status_ = 0;
  bool is_stopping_ = false;
  std::string listening_ = "listening";
};

}  // namespace bursar::statsd
