#include <bursar/alloc/transfer.h>

#include <atomic>

namespace bursar {
namespace {

constinit std::atomic<alloc::TransferFunction> installed{nullptr};

}  // namespace

void alloc::install_transfer(TransferFunction function) noexcept {
  installed.store(function, std::memory_order_release);
}

bool transfer(void* block, ResourceGroupToken token) noexcept {
  const alloc::TransferFunction function = installed.load(std::memory_order_acquire);
  return function != nullptr && function(block, token);
}

}  // namespace bursar
