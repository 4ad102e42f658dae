#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace bursar::report_detail {

// Figures as a table shows them.

// "12,345".
[[nodiscard]] std::string grouped(std::uint64_t count);
// As format_bytes, and "overflow" for the bound that no std::size_t holds.
[[nodiscard]] std::string bound_text(std::size_t bytes);
// "12.3", and without the tenth from 1000 on. REQUIRES: not negative.
[[nodiscard]] std::string one_decimal(double value);
// "3 %", "0.4 %" below one.
[[nodiscard]] std::string percent(double share);
// "none", "1 ms", "1.5 ms", "250 us".
[[nodiscard]] std::string duration_text(std::int64_t nanos);

}  // namespace bursar::report_detail
