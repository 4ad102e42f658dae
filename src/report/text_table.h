#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bursar::report_detail {

// How a text stands out where colours are wanted.
enum class Style : std::uint8_t { Plain, Quiet, Strong, Good, Warning, Alarm };

// `text` in a style, or as it is where no colours are wanted.
[[nodiscard]] std::string styled(std::string_view text, Style style, bool colours);

// Columns of text without lines between them. The first column is aligned left, takes what the others leave, and is cut
// where that is too little; the last is aligned left, those between to the right.
class TextTable {
 public:
  struct Cell {
    std::string text;
    Style style = Style::Plain;
  };
  struct Column {
    std::string title;
    std::size_t min_columns = 0;
  };

  explicit TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // Cells that are missing at the end stay empty.
  void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }

  // What the first column would have to be for nothing in it to be cut, and what it has at `width`.
  [[nodiscard]] std::size_t wanted_first_column() const;
  [[nodiscard]] std::size_t first_column(std::size_t width) const;

  // The titles, and one line for each row.
  [[nodiscard]] std::vector<std::string> lines(std::size_t width, bool colours) const;

 private:
  [[nodiscard]] std::vector<std::size_t> column_widths() const;
  [[nodiscard]] std::string line(const std::vector<Cell>& row, const std::vector<std::size_t>& widths,
                                 bool colours) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace bursar::report_detail
