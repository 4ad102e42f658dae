#pragma once

#include <bursar/report/resource_report.h>

#include <cstddef>
#include <string>
#include <vector>

namespace bursar::report_detail {

// How the process stands, in as few lines as the width allows: memory in use and allowed, the limiter's state, back-off
// and waits, and what is wrong with the books.
[[nodiscard]] std::vector<std::string> status_lines(const ResourceReport& report, std::size_t width, bool colours);

}  // namespace bursar::report_detail
