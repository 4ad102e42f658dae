#include "plane/data_plane.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <csignal>
#include <thread>
#include <utility>

#include <bursar/asio/group_executor.h>
#include <bursar/base/in_quotes.h>
#include <bursar/report/bounds_tree.h>
#include <bursar/report/resource_api_handler.h>
#include <bursar/report/resource_report.h>

#include "log/log.h"
#include "plane/http_bounds.h"
#include "plane/summary.h"
#include "sources/datagram_socket.h"
#include "sources/datagram_source.h"
#include "sources/tcp_source.h"

namespace bursar::statsd {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view kUdp = "topology.sources.udp";
constexpr std::string_view kTcp = "topology.sources.tcp";
constexpr std::string_view kUnix = "topology.sources.unix";
constexpr std::string_view kAggregate = "topology.transforms.aggregate";
constexpr std::string_view kPrometheus = "topology.destinations.prometheus";
constexpr std::string_view kApi = "api";

// How often the table is drawn and idle contexts are looked for.
constexpr std::chrono::seconds kTick{1};
// How long what is queued in the sockets may be read at the end.
constexpr std::chrono::seconds kDrain{2};

}  // namespace

std::expected<std::unique_ptr<DataPlane>, std::string> DataPlane::create(const Options& options) {
  std::unique_ptr<DataPlane> plane(new DataPlane(options));
  plane->declare_bounds();
  if (const auto started = plane->start_accounting(); !started) return std::unexpected(started.error());
  if (const auto opened = plane->open_sources(); !opened) return std::unexpected(opened.error());
  if (const auto opened = plane->open_http(); !opened) return std::unexpected(opened.error());
  // Before anybody is told that the program is there: a signal that comes at once is kept for `run`.
  plane->signals_.add(SIGINT);
  plane->signals_.add(SIGTERM);
  return plane;
}

DataPlane::DataPlane(const Options& options)
    : options_(options),
      aggregate_group_(components_.get_or_create(kAggregate).token()),
      prometheus_group_(components_.get_or_create(kPrometheus).token()),
      api_group_(components_.get_or_create(kApi).token()),
      parser_limits_{.max_line_bytes = options.max_line_bytes},
      bad_input_([](std::string_view line) { log(LogLevel::kWarning, line); }),
      io_(1),
      signals_(io_),
      ticks_(io_),
      end_(io_) {
  const ResourceTrackingGuard guard(aggregate_group_);
  aggregator_ = std::make_unique<Aggregator>(
      AggregatorLimits{.max_contexts = options.max_contexts, .context_ttl = options.context_ttl}, parser_limits_,
      [this] { return accounting_->limiter().should_shed(); });
}

DataPlane::~DataPlane() = default;

void DataPlane::declare_bounds() {
  const MemoryBoundsBuilder bounds = components_.bounds_builder();
  if (options_.udp) bounds.with_subcomponent(kUdp, DatagramSource::Bounds{options_.max_packet_bytes});
  if (options_.unix_path) bounds.with_subcomponent(kUnix, DatagramSource::Bounds{options_.max_packet_bytes});
  if (options_.tcp) {
    bounds.with_subcomponent(kTcp, TcpSource::Bounds{options_.tcp_max_connections, options_.max_line_bytes});
  }
  bounds.with_subcomponent(kAggregate, aggregator_);
  bounds.with_subcomponent(kPrometheus, PrometheusDestination::Bounds{options_.max_exposition_bytes});
  if (options_.http) bounds.with_subcomponent(kApi, HttpBounds{});
}

std::expected<void, std::string> DataPlane::start_accounting() {
  ResourceAccountingOptions options;
  options.flags = options_.memory;
  options.draw_bounds = [](const ComponentBounds& bounds, const std::optional<MemoryGrant>& grant) {
    return render_bounds_tree(bounds, grant);
  };
  // What draws on the terminal belongs to this thread: others have their lines written by it.
  options.log = [this, own_thread = std::this_thread::get_id()](bursar::LogLevel level, std::string_view line) {
    const LogLevel ours = level == bursar::LogLevel::Warning ? LogLevel::kWarning : LogLevel::kInfo;
    if (std::this_thread::get_id() == own_thread) {
      log(ours, line);
    } else {
      boost::asio::post(io_, [ours, text = std::string(line)] { log(ours, text); });
    }
  };
  auto started = ResourceAccounting::start(components_.root(), std::move(options));
  if (!started) return std::unexpected(started.error());
  accounting_.emplace(*std::move(started));
  return {};
}

SourceContext DataPlane::source_context(std::string_view component) {
  const ResourceGroupToken group = components_.get_or_create(component).token();
  return {bursar::asio::in_group(io_.get_executor(), group), group, accounting_->limiter()};
}

std::expected<void, std::string> DataPlane::open_sources() {
  std::expected<void, std::string> opened;
  if (options_.udp) opened = open_udp(*options_.udp);
  if (opened && options_.tcp) opened = open_tcp(*options_.tcp);
  if (opened && options_.unix_path) opened = open_unix(*options_.unix_path);
  return opened;
}

std::expected<void, std::string> DataPlane::open_udp(const Endpoint& endpoint) {
  const SourceContext context = source_context(kUdp);
  const ResourceTrackingGuard guard(context.group);
  auto socket = open_udp_socket(endpoint, options_.udp_receive_buffer_bytes);
  if (!socket) return std::unexpected(socket.error());
  listening_ += " udp=" + to_string(socket->endpoint);
  // The kernel counts twice what it was asked for, to pay for its own bookkeeping.
  if (socket->granted_buffer_bytes < options_.udp_receive_buffer_bytes) {
    log(LogLevel::kWarning,
        fmt::format("udp: the kernel keeps {} bytes of datagrams, not {}: net.core.rmem_max is lower",
                    socket->granted_buffer_bytes, options_.udp_receive_buffer_bytes));
  }
  sources_.push_back(std::make_unique<DatagramSource>("udp", std::move(socket->descriptor), options_.max_packet_bytes,
                                                      context, parser_limits_,
                                                      IntakeDestination{*aggregator_, aggregate_group_, bad_input_}));
  return {};
}

std::expected<void, std::string> DataPlane::open_tcp(const Endpoint& endpoint) {
  const SourceContext context = source_context(kTcp);
  const ResourceTrackingGuard guard(context.group);
  auto acceptor = open_tcp_acceptor(context.executor, endpoint);
  if (!acceptor) return std::unexpected(acceptor.error());
  listening_ += " tcp=" + to_string(Endpoint{endpoint.host, acceptor->local_endpoint().port()});
  sources_.push_back(std::make_unique<TcpSource>("tcp", std::move(*acceptor), options_.tcp_max_connections, context,
                                                 parser_limits_,
                                                 IntakeDestination{*aggregator_, aggregate_group_, bad_input_}));
  return {};
}

std::expected<void, std::string> DataPlane::open_unix(const std::string& path) {
  const SourceContext context = source_context(kUnix);
  const ResourceTrackingGuard guard(context.group);
  auto socket = UnixDatagramSocket::open(path);
  if (!socket) return std::unexpected(socket.error());
  unix_socket_.emplace(std::move(*socket));
  listening_ += " unix=" + path;
  sources_.push_back(std::make_unique<DatagramSource>("unix", unix_socket_->take_descriptor(),
                                                      options_.max_packet_bytes, context, parser_limits_,
                                                      IntakeDestination{*aggregator_, aggregate_group_, bad_input_}));
  return {};
}

std::expected<void, std::string> DataPlane::open_http() {
  {
    const ResourceTrackingGuard guard(prometheus_group_);
    prometheus_ = std::make_unique<PrometheusDestination>(*aggregator_, intakes(), prometheus_group_,
                                                          options_.max_exposition_bytes);
  }
  if (!options_.http) return {};
  const ResourceTrackingGuard guard(api_group_);
  auto server = HttpServer::start(bursar::asio::in_group(io_.get_executor(), api_group_),
                                  HttpBounds::server_options(options_.http->host, options_.http->port), api_handler());
  if (!server) return std::unexpected("http: " + server.error());
  http_.emplace(std::move(*server));
  listening_ += " http=http://" + to_string(Endpoint{options_.http->host, http_->port()}) + "/";
  return {};
}

ApiHandler DataPlane::api_handler() {
  ResourceApiOptions options = ResourceApiOptions::of(*accounting_);
  options.extra_metrics = [this](std::string& text, ExpositionFormat format) {
    for (const auto& source : sources_) source->refresh_counters();
    prometheus_->render(text, format);
  };
  return ResourceApiHandler(components_.root(), std::move(options));
}

void DataPlane::run() {
  for (const auto& source : sources_) source->start();
  signals_.async_wait([this](boost::system::error_code error, int signal) {
    if (!error) stop(signal == SIGINT ? "SIGINT" : "SIGTERM");
  });
  if (options_.duration.count() > 0) {
    end_.expires_after(options_.duration);
    end_.async_wait([this](boost::system::error_code error) {
      if (!error) stop("the duration is over");
    });
  }
  if (options_.table) {
    table_.emplace([this] { return take_resource_report(*accounting_, process_); },
                   [this](std::chrono::nanoseconds elapsed) { return status_line(elapsed); });
  }
  tick(Clock::now());
  io_.run();
}

void DataPlane::tick(Clock::time_point due) {
  // A timer that has expired already is not cancelled any more.
  if (is_stopping_) return;
  const auto now = Clock::now();
  {
    const ResourceTrackingGuard guard(aggregate_group_);
    aggregator_->sweep(now);
  }
  if (table_) table_->draw(now);
  // Steady, but without making up for what was missed.
  const Clock::time_point next = std::max(due + kTick, now);
  ticks_.expires_at(next);
  ticks_.async_wait([this, next](boost::system::error_code error) {
    if (!error) tick(next);
  });
}

// With nothing left to do `run` returns. The default action of the signals is back from here on: a second one kills.
void DataPlane::stop(const char* why) {
  if (std::exchange(is_stopping_, true)) return;
  signals_.clear();
  signals_.cancel();
  end_.cancel();
  ticks_.cancel();
  const auto deadline = Clock::now() + kDrain;
  for (const auto& source : sources_) source->stop_and_drain(deadline);
  if (http_) http_->stop();
  if (table_) table_->draw(Clock::now());
  table_.reset();
  log(LogLevel::kInfo, fmt::format("stopping: {}", why));
}

std::string DataPlane::status_line(std::chrono::nanoseconds elapsed) {
  std::uint64_t lines = 0;
  std::uint64_t dropped = 0;
  std::uint64_t kernel_drops = 0;
  for (const auto& source : sources_) {
    source->refresh_counters();
    const SourceCounters& counters = source->intake().counters();
    lines += counters.lines;
    dropped += counters.dropped.total();
    kernel_drops += counters.kernel_drops;
  }
  const double seconds = std::chrono::duration<double>(elapsed).count();
  const auto news = static_cast<double>(lines - std::exchange(lines_at_last_status_, lines));
  return fmt::format("lines {} ({:.0f}/s)  dropped {}  lost by the kernel {}  contexts {}/{}", lines,
                     seconds > 0 ? news / seconds : 0.0, dropped, kernel_drops, aggregator_->contexts(),
                     options_.max_contexts);
}

std::vector<const LineIntake*> DataPlane::intakes() const {
  std::vector<const LineIntake*> intakes;
  for (const auto& source : sources_) intakes.push_back(&source->intake());
  return intakes;
}

std::string DataPlane::summary() const {
  return summary_text(intakes(), *aggregator_);
}

std::string DataPlane::summary_as_json() const {
  return summary_json(intakes(), *aggregator_);
}

}  // namespace bursar::statsd
