#pragma once

#include <cstdint>
#include <string_view>

namespace bursar {

// The two text formats that Prometheus reads: its own, version 0.0.4, and OpenMetrics 1.0.
enum class ExpositionFormat : std::uint8_t { PrometheusText, OpenMetrics };

// What a client wants that sends `accept`: OpenMetrics where the header names it and does not like plain text better
// (RFC 9110, 12.5.1).
//
// Thread-safety: yes. Allocates: no. Blocks: no.
[[nodiscard]] ExpositionFormat negotiate_exposition_format(std::string_view accept) noexcept;

// The format as a media type.
[[nodiscard]] std::string_view content_type(ExpositionFormat format) noexcept;

}  // namespace bursar
