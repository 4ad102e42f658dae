#pragma once

#include <string>
#include <string_view>

namespace bursar {

// `text` as a JSON string, quotes included (RFC 8259, section 7). What is not valid UTF-8 becomes U+FFFD, so that any
// bytes give valid JSON.
//
// Thread-safety: yes. Allocates: the string. Blocks: no.
[[nodiscard]] std::string json_string(std::string_view text);

}  // namespace bursar
