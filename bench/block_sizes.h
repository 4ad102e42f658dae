#pragma once

#include <array>
#include <cstddef>
#include <random>

namespace bursar::bench {

// How large the blocks of an everyday program are, more or less: 60 % 16 to 64 bytes, 30 % 65 to 512, 9 % 513 to 4096,
// 1 % up to 64 KiB. The same sizes in the same order each time.
class BlockSizes {
 public:
  static constexpr std::size_t kCount = 8192;

  BlockSizes() {
    std::mt19937_64 random(20260701);
    for (std::size_t& bytes : bytes_) bytes = draw(random);
  }

  [[nodiscard]] std::size_t operator[](std::size_t i) const noexcept { return bytes_[i % kCount]; }

 private:
  static std::size_t draw(std::mt19937_64& random) {
    const auto between = [&](std::size_t low, std::size_t high) {
      return std::uniform_int_distribution<std::size_t>(low, high)(random);
    };
    const std::size_t percent = between(0, 99);
    if (percent < 60) return between(16, 64);
    if (percent < 90) return between(65, 512);
    if (percent < 99) return between(513, 4096);
    return between(4097, 65536);
  }

  std::array<std::size_t, kCount> bytes_{};
};

}  // namespace bursar::bench
