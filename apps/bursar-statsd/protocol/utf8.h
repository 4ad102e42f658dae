#pragma once

#include <string_view>

namespace bursar::statsd {

// Whether `text` is well-formed UTF-8: no overlong form, no surrogate, nothing above U+10FFFF (Unicode, table 3-7).
// Cost: eight ASCII bytes a step.
[[nodiscard]] bool is_valid_utf8(std::string_view text) noexcept;

}  // namespace bursar::statsd
