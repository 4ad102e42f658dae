#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace bursar {

// An amount of bytes for people: "512 B", "12.3 KiB", "64 MiB", up to "16 EiB". Units are powers of 1024; rounded to
// the nearest tenth, and a tenth of zero is left out.
//
// Thread-safety: yes. Allocates: the string. Blocks: no.
[[nodiscard]] std::string format_bytes(std::uint64_t bytes);

// An amount of bytes as people write it: a number, a space or none, and a unit in any case.
//
//   none, B              bytes
//   K, Ki, KiB ... EiB   powers of 1024
//   KB, MB ... EB        powers of 1000
//
// "1024", "64MiB", "64 MiB", "1G" (2^30), "1GB" (10^9), "1.5G". What a fraction leaves of a byte is cut off. White
// space around it is allowed; signs, exponents and separators are not. The error is one line that quotes the text and
// says what would be right.
//
// Thread-safety: yes. Allocates: the error's text. Blocks: no.
[[nodiscard]] std::expected<std::uint64_t, std::string> parse_bytes(std::string_view text);

}  // namespace bursar
