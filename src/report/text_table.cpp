#include "report/text_table.h"

#include "report/terminal_text.h"

#include <algorithm>

namespace bursar::report_detail {
namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kNarrowestFirstColumn = 8;

// ECMA-48, select graphic rendition.
std::string_view escape_of(Style style) noexcept {
  switch (style) {
    case Style::Plain:
      return "";
    case Style::Quiet:
      return "\x1b[2m";
    case Style::Strong:
      return "\x1b[1m";
    case Style::Good:
      return "\x1b[32m";
    case Style::Warning:
      return "\x1b[33m";
    case Style::Alarm:
      return "\x1b[1;31m";
  }
  return "";
}

}  // namespace

std::string styled(std::string_view text, Style style, bool colours) {
  const std::string_view escape = escape_of(style);
  if (!colours || escape.empty() || text.empty()) {
    return std::string(text);
  }
  return std::string(escape).append(text).append("\x1b[0m");
}

std::size_t TextTable::wanted_first_column() const {
  std::size_t wanted = columns_of(columns_.front().title);
  for (const auto& row : rows_) {
    wanted = std::max(wanted, columns_of(row.front().text));
  }
  return wanted;
}

std::size_t TextTable::first_column(std::size_t width) const {
  const auto widths = column_widths();
  std::size_t others = 0;
  for (std::size_t column = 1; column < widths.size(); ++column) {
    others += kGap + widths[column];
  }
  const std::size_t left = width > others ? width - others : 0;
  return std::clamp(wanted_first_column(), std::size_t{0}, std::max(left, kNarrowestFirstColumn));
}

std::vector<std::string> TextTable::lines(std::size_t width, bool colours) const {
  auto widths = column_widths();
  widths.front() = first_column(width);
  std::vector<Cell> titles;
  for (const Column& column : columns_) {
    titles.push_back({column.title, Style::Quiet});
  }
  std::vector<std::string> lines{line(titles, widths, colours)};
  for (const auto& row : rows_) {
    lines.push_back(line(row, widths, colours));
  }
  return lines;
}

std::vector<std::size_t> TextTable::column_widths() const {
  std::vector<std::size_t> widths;
  for (const Column& column : columns_) {
    widths.push_back(std::max(column.min_columns, columns_of(column.title)));
  }
  for (const auto& row : rows_) {
    for (std::size_t column = 0; column < row.size(); ++column) {
      widths[column] = std::max(widths[column], columns_of(row[column].text));
    }
  }
  return widths;
}

std::string TextTable::line(const std::vector<Cell>& row, const std::vector<std::size_t>& widths, bool colours) const {
  std::string line;
  std::size_t owed = 0;  // spaces that are written only once something follows them
  for (std::size_t column = 0; column < row.size(); ++column) {
    const std::string text = fit_into(row[column].text, widths[column]);
    const std::size_t padding = widths[column] - columns_of(text);
    const bool to_the_left = column == 0 || column + 1 == columns_.size();
    if (!to_the_left) {
      owed += padding;
    }
    if (!text.empty()) {
      line.append(owed, ' ').append(styled(text, row[column].style, colours));
      owed = 0;
    }
    owed += kGap + (to_the_left ? padding : 0);
  }
  return line;
}

}  // namespace bursar::report_detail
