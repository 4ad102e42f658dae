#include <bursar/report/table.h>

#include "report/figure_text.h"
#include "report/status_line.h"
#include "report/terminal_text.h"
#include "report/text_table.h"
#include "report/tree_rows.h"
#include "report/usage_by_name.h"

#include <bursar/base/bytes.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>

namespace bursar {
namespace {

using namespace report_detail;
using Cell = TextTable::Cell;
using Usage = std::optional<ResourceStatsSnapshot>;

constexpr std::string_view kUnknown = "-";
constexpr std::size_t kWidthForRates = 100;
constexpr std::size_t kWidthForBars = 116;
constexpr std::size_t kBarColumns = 12;

bool has_figures(const ComponentSnapshot& component) {
  return component.limit_bytes != 0 || component.usage.has_value();
}

// `share` of a bar in eighths of a column.
std::string bar(double share) {
  constexpr std::string_view kEighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const double clamped = std::clamp(share, 0.0, 1.0);
  const auto eighths = static_cast<std::size_t>(std::lround(clamped * static_cast<double>(kBarColumns * 8)));
  std::string drawn;
  for (std::size_t full = 0; full < eighths / 8; ++full) {
    drawn += "█";
  }
  drawn += kEighths[eighths % 8];
  for (std::size_t column = (eighths + 7) / 8; column < kBarColumns; ++column) {
    drawn += "·";
  }
  return drawn;
}

// The rows of one report.
class ReportTable {
 public:
  ReportTable(const ResourceReport& report, const EarlierReport* earlier, std::size_t width, TreeShape shape)
      : report_(report),
        earlier_(earlier),
        rates_(width >= kWidthForRates),
        bars_(width >= kWidthForBars),
        table_(columns()) {
    if (earlier_ != nullptr) {
      before_ = usage_of(earlier_->report);
    }
    add_components(shape);
    for (const UnclaimedGroup& group : report_.groups.other_groups) {
      add_group(terminal_text(group.name), group.name, group.usage, 0, 0);
    }
    const ComponentSnapshot& root = report_.groups.root;
    add_group("root", root.full_name, root.usage, root.minimum_required_bytes, root.limit_bytes);
    add_unattributed();
    add_total();
  }

  [[nodiscard]] const TextTable& table() const noexcept { return table_; }

 private:
  [[nodiscard]] std::vector<TextTable::Column> columns() const {
    std::vector<TextTable::Column> columns{{"component", 0}, {"minimum", 9}, {"firm", 9}, {"live", 9}, {"objects", 9}};
    if (rates_) {
      columns.push_back({"new/s", 9});
    }
    columns.push_back({"cpu %", 5});
    if (bars_) {
      columns.push_back({"of firm", kBarColumns});
    }
    columns.push_back({"state", 9});
    return columns;
  }

  void add_components(TreeShape shape) {
    const TreeRows rows(
        shape, [](const ComponentSnapshot& node) -> const auto& { return node.subcomponents; },
        [](const ComponentSnapshot& node) -> const std::string& { return node.name; }, has_figures);
    for (const auto& row : rows.below(report_.groups.root)) {
      if (row.heading) {
        table_.add({Cell{row.label, Style::Quiet}});
      } else {
        const ComponentSnapshot& component = *row.node;
        add_group(row.label, component.full_name, component.usage, component.minimum_required_bytes,
                  component.limit_bytes);
      }
    }
  }

  void add_group(const std::string& label, std::string_view name, const Usage& usage, std::size_t minimum,
                 std::size_t firm) {
    const bool over = usage && firm != 0 && usage->live_bytes() > firm;
    const bool judged = usage && firm != 0;
    const auto figure = [&](auto text) { return usage ? text(*usage) : std::string(kUnknown); };
    std::vector<Cell> row{{label},
                          {firm == 0 ? std::string(kUnknown) : bound_text(minimum)},
                          {firm == 0 ? std::string(kUnknown) : bound_text(firm)},
                          {figure([](const auto& known) { return format_bytes(known.live_bytes()); })},
                          {figure([](const auto& known) { return grouped(known.live_objects()); })}};
    if (rates_) {
      row.push_back({rate_of(name, usage)});
    }
    row.push_back({cpu_share_of(name, usage)});
    if (bars_) {
      row.push_back({judged ? bar(static_cast<double>(usage->live_bytes()) / static_cast<double>(firm)) : "",
                     over ? Style::Alarm : Style::Quiet});
    }
    row.push_back({state_of(name, judged, over), !judged ? Style::Quiet : over ? Style::Alarm : Style::Good});
    table_.add(std::move(row));
  }

  // A breach that is over is still told of: it says that what was declared is wrong.
  [[nodiscard]] std::string state_of(std::string_view name, bool judged, bool over) const {
    if (!judged) {
      return std::string(kUnknown);
    }
    const auto standing = report_.bound_standings.find(name);
    const std::uint64_t breaches = standing == report_.bound_standings.end() ? 0 : standing->second.breaches;
    return over ? "over firm" : breaches != 0 ? "was over" : "ok";
  }

  void add_unattributed() {
    const auto bytes = report_.unattributed_bytes();
    std::vector<Cell> row{{"unattributed"},
                          {std::string(kUnknown)},
                          {std::string(kUnknown)},
                          {bytes ? format_bytes(*bytes) : std::string(kUnknown)},
                          {std::string(kUnknown)}};
    if (rates_) {
      row.push_back({std::string(kUnknown)});
    }
    const auto now = report_.unattributed_cpu_nanos();
    const auto before = earlier_ == nullptr ? std::nullopt : earlier_->report.unattributed_cpu_nanos();
    row.push_back({now && before ? cpu_share(*now, *before) : std::string(kUnknown)});
    if (bars_) {
      row.push_back({});
    }
    row.push_back({std::string(kUnknown), Style::Quiet});
    table_.add(std::move(row));
  }

  void add_total() {
    const ComponentSnapshot& root = report_.groups.root;
    const ResourceStatsSnapshot usage = report_.total_usage();
    const auto strong = [](std::string text) { return Cell{std::move(text), Style::Strong}; };
    std::vector<Cell> row{strong("total"), strong(bound_text(root.total_minimum_required_bytes)),
                          strong(bound_text(root.total_firm_limit_bytes)),
                          strong(format_bytes(usage.live_bytes() + report_.unattributed_bytes().value_or(0))),
                          strong(grouped(usage.live_objects()))};
    if (rates_) {
      row.push_back(strong(earlier_ == nullptr
                               ? std::string(kUnknown)
                               : rate(usage.allocated_bytes, earlier_->report.total_usage().allocated_bytes)));
    }
    const auto now = report_.process.cpu_time_nanos;
    const auto before = earlier_ == nullptr ? std::nullopt : earlier_->report.process.cpu_time_nanos;
    row.push_back(strong(now && before ? cpu_share(*now, *before) : std::string(kUnknown)));
    table_.add(std::move(row));
  }

  [[nodiscard]] std::string cpu_share_of(std::string_view name, const Usage& usage) const {
    return usage && earlier_ != nullptr ? cpu_share(usage->cpu_time_nanos, usage_before(before_, name).cpu_time_nanos)
                                        : std::string(kUnknown);
  }

  [[nodiscard]] std::string rate_of(std::string_view name, const Usage& usage) const {
    return usage && earlier_ != nullptr ? rate(usage->allocated_bytes, usage_before(before_, name).allocated_bytes)
                                        : std::string(kUnknown);
  }

  [[nodiscard]] std::string cpu_share(std::uint64_t now_nanos, std::uint64_t before_nanos) const {
    return one_decimal(100.0 * since(now_nanos, before_nanos) / static_cast<double>(earlier_->elapsed.count()));
  }

  [[nodiscard]] std::string rate(std::uint64_t now_bytes, std::uint64_t before_bytes) const {
    const double per_second = 1e9 * since(now_bytes, before_bytes) / static_cast<double>(earlier_->elapsed.count());
    return format_bytes(static_cast<std::uint64_t>(per_second));
  }

  // What is unattributed may fall, where a thread reports late.
  [[nodiscard]] static double since(std::uint64_t now, std::uint64_t before) noexcept {
    return now > before ? static_cast<double>(now - before) : 0.0;
  }

  const ResourceReport& report_;
  const EarlierReport* earlier_;
  bool rates_;
  bool bars_;
  UsageByName before_;
  TextTable table_;
};

std::vector<std::string> render(const ResourceReport& report, const EarlierReport* earlier,
                                const TableOptions& options) {
  std::vector<std::string> lines = status_lines(report, options.width, options.colours);
  lines.emplace_back();
  ReportTable rows(report, earlier, options.width, TreeShape::Folded);
  const bool fits = rows.table().first_column(options.width) == rows.table().wanted_first_column();
  const auto table =
      fits ? rows.table().lines(options.width, options.colours)
           : ReportTable(report, earlier, options.width, TreeShape::Full).table().lines(options.width, options.colours);
  lines.insert(lines.end(), table.begin(), table.end());
  return lines;
}

}  // namespace

std::vector<std::string> render_table(const ResourceReport& report, const TableOptions& options) {
  return render(report, nullptr, options);
}

std::vector<std::string> render_table(const ResourceReport& report, const EarlierReport& earlier,
                                      const TableOptions& options) {
  return render(report, earlier.elapsed.count() > 0 ? &earlier : nullptr, options);
}

}  // namespace bursar
