#pragma once

#include <bursar/report/resource_report.h>

#include <cstddef>
#include <string>
#include <vector>

namespace bursar {

// How a table is drawn.
//
// Thread-safety: a plain value. Allocates: no. Blocks: no.
struct TableOptions {
  std::size_t width = 80;  // columns; from 100 on allocations a second are shown too, from 116 on a bar
  bool colours = false;
};

// The report for a terminal, in lines without their ends: how the process stands; then for each component what it
// declared, holds and uses, groups that are no component's, what no group accounts for, and the total.
//
// Figures are those of the component itself, so that each column adds up to its total. `state` is "ok", or "over firm"
// where a component holds more than its firm limit, "was over" where it did so by more than the tolerance, and is
// inside it now.
// "-" stands for what is not known, or not declared; CPU shares are
// in percent of one core, and need `earlier`. Names are shown so that the terminal takes them for text, and cut where
// the width does not do.
//
// Thread-safety: yes. Allocates: the lines. Blocks: no.
[[nodiscard]] std::vector<std::string> render_table(const ResourceReport& report, const TableOptions& options = {});
[[nodiscard]] std::vector<std::string> render_table(const ResourceReport& report, const EarlierReport& earlier,
                                                    const TableOptions& options = {});

}  // namespace bursar
