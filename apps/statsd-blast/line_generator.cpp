#include "line_generator.h"

#include <array>
#include <charconv>
#include <utility>

namespace bursar::blast {
namespace {

constexpr std::array<std::string_view, 6> kNames = {
    "blast.requests", "blast.queue.depth", "blast.users", "blast.request.time", "blast.response.size", "blast.latency",
};
constexpr std::array<std::string_view, 4> kMethods = {"get", "put", "post", "delete"};

void append_number(std::string& out, std::uint64_t number) {
  char digits[20];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

}  // namespace

LineGenerator::LineGenerator(std::uint64_t contexts, std::vector<LineType> types, std::uint64_t seed)
    : contexts_(contexts), types_(std::move(types)), random_(seed) {}

std::string_view LineGenerator::next() {
  const std::uint64_t context = contexts_ == 0 ? lines_ : random_() % contexts_;
  ++lines_;
  type_ = types_[context % types_.size()];
  line_.assign(kNames[static_cast<std::size_t>(type_)]).append(":");
  append_value();
  line_.append("|").append(to_code(type_)).append("|#context:");
  append_number(line_, context);
  line_.append(",method:").append(kMethods[context % kMethods.size()]);
  return line_;
}

// The engine's numbers are fixed by the standard, those of its distributions are not: hence remainders.
void LineGenerator::append_value() {
  const std::uint64_t number = random_();
  switch (type_) {
    case LineType::kCounter:
      append_number(line_, 1 + number % 5);
      break;
    case LineType::kGauge:
      append_number(line_, number % 1000);
      break;
    case LineType::kSet:
      line_ += "user";
      append_number(line_, number % 10'000);
      break;
    case LineType::kTimer:
    case LineType::kHistogram:
    case LineType::kDistribution: {
      // The product of two: most values are small, a few are large, as with latencies.
      const std::uint64_t hundredths = (1 + number % 100) * (1 + (number >> 32) % 100);
      append_number(line_, hundredths / 10);
      line_ += '.';
      append_number(line_, hundredths % 10);
      break;
    }
  }
}

}  // namespace bursar::blast
