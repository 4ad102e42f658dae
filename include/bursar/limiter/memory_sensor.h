#pragma once

#include <concepts>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

namespace bursar {

// Measures a number of bytes, by whatever figure; an error where that cannot be told just now. It is made of any
// callable that returns an unsigned integer, a std::optional of one, or a Reading. It is called up to once a
// millisecond and more often under pressure, by one thread at a time, by callers of the wait too: it should be quick
// and must not wait for memory.
//
// Thread-safety: as its callable. Allocates: when it is made. Blocks: as its callable.
class MemorySensor {
 public:
  using Reading = std::expected<std::uint64_t, std::error_code>;

  MemorySensor() = default;

  // The name stands in messages: "no figure from NAME".
  template <typename Function>
    requires std::invocable<Function&>
  MemorySensor(std::string name, Function function)
      : name_(std::move(name)),
        read_([function = std::move(function)]() mutable -> Reading { return reading_of(function()); }) {}

  template <typename Function>
    requires(!std::same_as<Function, MemorySensor> && std::invocable<Function&>)
  MemorySensor(Function function)  // NOLINT(google-explicit-constructor): a callable is a sensor
      : MemorySensor("a memory sensor", std::move(function)) {}

  [[nodiscard]] Reading operator()() const { return read_(); }

  // The same, where a callable that throws has failed.
  [[nodiscard]] Reading read() const noexcept;

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(read_); }

 private:
  static Reading reading_of(std::unsigned_integral auto bytes) { return bytes; }
  static Reading reading_of(const std::optional<std::uint64_t>& bytes) {
    if (bytes) return *bytes;
    return std::unexpected(std::make_error_code(std::errc::resource_unavailable_try_again));
  }
  static Reading reading_of(Reading reading) { return reading; }

  std::string name_;
  std::function<Reading()> read_;
};

// Senses the resident size: what /proc/self/statm says, kept open. `system_root` stands before "/proc".
// The error is one line that names the file and says what is wrong with it.
//
// Thread-safety: the sensor may be called from any thread. Allocates: only when it is made. Blocks: no.
// Cost: one system call of 0.4 us.
[[nodiscard]] std::expected<MemorySensor, std::string> resident_size_sensor(const std::string& system_root = "");

// The resident pages of a /proc/PID/statm: its second number. Its layout is described in proc(5).
[[nodiscard]] std::optional<std::uint64_t> parse_statm_resident_pages(std::string_view text) noexcept;

}  // namespace bursar
