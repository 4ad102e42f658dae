#pragma once

#include <string>
#include <string_view>

namespace bursar {

// A text from outside, fit for one line of an error message: in double quotes, with everything that is not printable
// ASCII as \xNN, and cut after 64 bytes.
//
// Thread-safety: yes. Allocates: the string. Blocks: no.
[[nodiscard]] std::string in_quotes(std::string_view text);

}  // namespace bursar
