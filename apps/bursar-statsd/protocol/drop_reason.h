#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace bursar::statsd {

// Why a line was not used. Each line that is received is either accepted or dropped for exactly one of these.
enum class DropReason : std::uint8_t {
  // What the parser refuses.
  kEmptyName,        // ":1|c"
  kNameTooLong,      // longer than ParserLimits::max_name_bytes
  kNoValue,          // "name", "name:|c"
  kBadValue,         // not a finite decimal number
  kNegativeCounter,  // a Prometheus counter never goes down
  kNoType,           // "name:1"
  kBadType,          // not one of c, g, s, ms, h, d
  kBadSampleRate,    // outside [1e-9, 1], or so small that the scaled value is no number
  kBadTag,           // a tag without a key, or a second list of tags
  kTooManyTags,      // more than ParserLimits::max_tags
  kBadEvent,         // "_e{" whose lengths do not describe the line
  kBadServiceCheck,  // "_sc|" without a name, or with a status other than 0 to 3
  kOverLong,         // longer than ParserLimits::max_line_bytes
  kTruncated,        // the last line of a datagram that did not fit the receive buffer
  kInvalidUtf8,      //
  kNulByte,          //
  // What the aggregator refuses.
  kSeriesTooLong,   // name and labels together exceed AggregatorLimits::max_series_bytes
  kReservedName,    // would become a metric of Bursar's own, `bursar_...`
  kTypeConflict,    // the Prometheus name belongs to a metric of another type already
  kContextLimit,    // a new context, and there are AggregatorLimits::max_contexts of them
  kMemoryPressure,  // a new context while the memory limiter asks to shed
};

inline constexpr std::size_t kDropReasonCount = static_cast<std::size_t>(DropReason::kMemoryPressure) + 1;

// The reason as the label value that `bursar_statsd_lines_dropped_total` carries, such as "bad_value".
[[nodiscard]] std::string_view to_string(DropReason reason) noexcept;

// How many lines were dropped for each reason.
//
// Thread-safety: a plain value. Allocates: no. Blocks: no.
class DropCounts {
 public:
  void add(DropReason reason, std::uint64_t lines = 1) noexcept { counts_[static_cast<std::size_t>(reason)] += lines; }
  [[nodiscard]] std::uint64_t operator[](DropReason reason) const noexcept {
    return counts_[static_cast<std::size_t>(reason)];
  }
  [[nodiscard]] std::uint64_t total() const noexcept;

 private:
  std::array<std::uint64_t, kDropReasonCount> counts_{};
};

}  // namespace bursar::statsd
