#include <bursar/base/in_quotes.h>
#include <bursar/limiter/limiter_state.h>

namespace bursar {

std::expected<LimiterMode, std::string> parse_limiter_mode(std::string_view text) {
  for (const LimiterMode mode : {LimiterMode::On, LimiterMode::Off, LimiterMode::Observe}) {
    if (text == to_string(mode)) return mode;
  }
  return std::unexpected(in_quotes(text) + " is no limiter mode; it is one of on, off and observe");
}

}  // namespace bursar
