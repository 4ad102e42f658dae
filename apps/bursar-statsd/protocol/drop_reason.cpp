#include "protocol/drop_reason.h"

#include <numeric>

namespace bursar::statsd {

std::string_view to_string(DropReason reason) noexcept {
  switch (reason) {
    case DropReason::kEmptyName:
      return "empty_name";
    case DropReason::kNameTooLong:
      return "name_too_long";
    case DropReason::kNoValue:
      return "no_value";
    case DropReason::kBadValue:
      return "bad_value";
    case DropReason::kNegativeCounter:
      return "negative_counter";
    case DropReason::kNoType:
      return "no_type";
    case DropReason::kBadType:
      return "bad_type";
    case DropReason::kBadSampleRate:
      return "bad_sample_rate";
    case DropReason::kBadTag:
      return "bad_tag";
    case DropReason::kTooManyTags:
      return "too_many_tags";
    case DropReason::kBadEvent:
      return "bad_event";
    case DropReason::kBadServiceCheck:
      return "bad_service_check";
    case DropReason::kOverLong:
      return "over_long";
    case DropReason::kTruncated:
      return "truncated";
    case DropReason::kInvalidUtf8:
      return "invalid_utf8";
    case DropReason::kNulByte:
      return "nul_byte";
    case DropReason::kSeriesTooLong:
      return "series_too_long";
    case DropReason::kReservedName:
      return "reserved_name";
    case DropReason::kTypeConflict:
      return "type_conflict";
    case DropReason::kContextLimit:
      return "context_limit";
    case DropReason::kMemoryPressure:
      return "memory_pressure";
  }
  return "unknown";
}

std::uint64_t DropCounts::total() const noexcept {
  return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
}

}  // namespace bursar::statsd
