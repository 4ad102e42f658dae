#include "aggregate/unique_counter.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace bursar::statsd {
namespace {

constexpr int kRegisterBits = 10;
static_assert(std::size_t{1} << kRegisterBits == UniqueCounter::kRegisters);
static_assert(UniqueCounter::kExactLimit * sizeof(std::uint64_t) <= UniqueCounter::kMaxBytes);

// FNV-1a over the bytes, then a finaliser that lets each of them change every bit: the registers are chosen by the
// upper bits, which FNV alone mixes badly for short strings.
std::uint64_t hash_of(std::string_view value) {
  std::uint64_t hash = 0xcbf2'9ce4'8422'2325;
  for (const char c : value) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x0000'0100'0000'01b3;
  }
  hash ^= hash >> 33;
  hash *= 0xff51'afd7'ed55'8ccd;
  hash ^= hash >> 33;
  hash *= 0xc4ce'b9fe'1a85'ec53;
  return hash ^ (hash >> 33);
}

}  // namespace

void UniqueCounter::insert(std::string_view value) {
  const std::uint64_t hash = hash_of(value);
  if (registers_.empty()) {
    insert_hash_exactly(hash);
  } else {
    insert_hash_estimating(hash);
  }
}

void UniqueCounter::insert_hash_exactly(std::uint64_t hash) {
  const auto position = std::ranges::lower_bound(hashes_, hash);
  if (position != hashes_.end() && *position == hash) return;
  if (hashes_.size() == kExactLimit) {
    start_estimating();
    insert_hash_estimating(hash);
    return;
  }
  hashes_.insert(position, hash);
}

void UniqueCounter::start_estimating() {
  std::vector<std::uint64_t> known;
  known.swap(hashes_);
  registers_.assign(kRegisters, 0);
  for (const std::uint64_t hash : known) insert_hash_estimating(hash);
}

void UniqueCounter::insert_hash_estimating(std::uint64_t hash) noexcept {
  const auto index = static_cast<std::size_t>(hash >> (64 - kRegisterBits));
  // The bit that is set keeps the rank within what the remaining bits can tell.
  const std::uint64_t rest = (hash << kRegisterBits) | (std::uint64_t{1} << (kRegisterBits - 1));
  const auto rank = static_cast<std::uint8_t>(std::countl_zero(rest) + 1);
  registers_[index] = std::max(registers_[index], rank);
}

double UniqueCounter::count() const noexcept {
  if (registers_.empty()) return static_cast<double>(hashes_.size());
  constexpr double kSize = kRegisters;
  constexpr double kBias = 0.7213 / (1 + 1.079 / kSize);
  double inverse_sum = 0;
  for (const std::uint8_t rank : registers_) inverse_sum += std::ldexp(1.0, -rank);
  const double estimate = kBias * kSize * kSize / inverse_sum;
  const auto unused = static_cast<double>(std::ranges::count(registers_, 0));
  // Few values leave many registers unused, and counting those is more accurate.
  const bool is_small = estimate <= 2.5 * kSize && unused > 0;
  return std::round(is_small ? kSize * std::log(kSize / unused) : estimate);
}

}  // namespace bursar::statsd
