#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace bursar {

// How long the full dotted name of a component may be, in bytes.
inline constexpr std::size_t kMaxComponentNameLength = 1023;

// Why a name names no component. Names are paths of non-empty segments with dots between them; the segments may hold
// any bytes. The name `root` is taken at the top level: the root of the tree answers to it.
//
// Thread-safety: a plain value. Allocates: its strings. Blocks: no.
struct ComponentNameError {
  enum class Reason { EmptyName, EmptySegment, ReservedName, TooLong };

  Reason reason;
  // One line that quotes the name and says what would be right.
  std::string message;
};

}  // namespace bursar
