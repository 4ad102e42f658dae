#include <bursar/base/bytes.h>
#include <bursar/base/in_quotes.h>
#include <bursar/limiter/memory_limit_environment.h>

#include <stdlib.h>

#include <string_view>

namespace bursar {

std::expected<std::optional<std::uint64_t>, std::string> memory_limit_from_environment() {
  constexpr const char* kVariable = "BURSAR_MEMORY_LIMIT";
  const char* const value = ::secure_getenv(kVariable);
  if (value == nullptr || std::string_view(value).empty()) return std::nullopt;
  const auto bytes = parse_bytes(value);
  if (!bytes) return std::unexpected(std::string(kVariable) + ": " + bytes.error());
  if (*bytes == 0) {
    return std::unexpected(std::string(kVariable) + ": " + in_quotes(value) +
                           " is no memory limit; it should be 1 B at least, or not be set for none");
  }
  return *bytes;
}

}  // namespace bursar
