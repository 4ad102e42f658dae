#pragma once

#include <string>
#include <string_view>

namespace bursar {

// `text` as valid UTF-8: each byte or piece of a sequence that is none becomes U+FFFD, as the Unicode Standard
// recommends (chapter 3.9, "substitution of maximal subparts"). Valid text comes back as it is.
//
// Thread-safety: yes. Allocates: the string. Blocks: no.
[[nodiscard]] std::string to_valid_utf8(std::string_view text);

}  // namespace bursar
