#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>

namespace bursar {

// The bytes that the environment variable BURSAR_MEMORY_LIMIT gives, written as parse_bytes reads them. Nothing where
// it is not set or empty, or the program runs with more rights than its caller. The error is one line that names the
// variable, quotes its value and says what would be right.
//
// Thread-safety: as getenv: while nobody changes the environment. Allocates: the error's text. Blocks: no.
[[nodiscard]] std::expected<std::optional<std::uint64_t>, std::string> memory_limit_from_environment();

}  // namespace bursar
