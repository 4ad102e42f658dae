// A burst of small blocks up to the limit, of which one in four is kept: the allocator can give hardly a page back. It
// says how long the limiter takes to see that there is room all the same.
#include <bursar/bursar.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr std::size_t kBlockBytes = 1000;
constexpr std::size_t kBlocksAStep = 64;

using Block = std::unique_ptr<char[]>;

Block touched_block() {
  Block block = std::make_unique_for_overwrite<char[]>(kBlockBytes);
  std::memset(block.get(), 1, kBlockBytes);
  return block;
}

bool state_becomes(const bursar::MemoryLimiter& limiter, bursar::LimiterState state, std::chrono::seconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (limiter.state() != state) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace

int main() {
  const bursar::ComponentRegistry components;
  const auto accounting = bursar::ResourceAccounting::start(components.root());
  if (!accounting || !accounting->grant()) {
    std::fputs("retained_burst: it needs a memory limit\n", stderr);
    return 2;
  }
  const bursar::MemoryLimiter& limiter = accounting->limiter();
  std::vector<Block> blocks;
  blocks.reserve(accounting->grant()->initial_limit_bytes() / kBlockBytes);
  while (limiter.state() != bursar::LimiterState::Hard) {
    limiter.wait_for_capacity();
    for (std::size_t i = 0; i < kBlocksAStep; ++i) blocks.push_back(touched_block());
  }
  std::puts("hard");
  // The last ones go altogether, so that usage falls a little below the limit: at it the state would be Soft, as
  // RampPolicy says. The others leave their pages in use.
  blocks.resize(blocks.size() - blocks.size() / 40);
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (i % 4 != 0) blocks[i].reset();
  }
  const auto start = std::chrono::steady_clock::now();
  const bool is_normal = state_becomes(limiter, bursar::LimiterState::Normal, std::chrono::seconds(30));
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  std::printf("%s after %.3f s, usage %.3f of the limit\n", std::string(to_string(limiter.state())).c_str(),
              taken.count(),
              static_cast<double>(limiter.usage_bytes().value_or(0)) /
                  static_cast<double>(limiter.effective_limit_bytes().value_or(1)));
  return is_normal ? 0 : 1;
}
