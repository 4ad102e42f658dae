#include <bursar/alloc/transfer.h>
#include <bursar/base/process_wide.h>

#include <atomic>

namespace bursar {

extern "C" {
BURSAR_PROCESS_WIDE std::atomic<alloc::TransferFunction> bursar_1_transfer{nullptr};
}

void alloc::install_transfer(TransferFunction function) noexcept {
  bursar_1_transfer.store(function, std::memory_order_release);
}

bool transfer(void* block, ResourceGroupToken token) noexcept {
  const alloc::TransferFunction function = bursar_1_transfer.load(std::memory_order_acquire);
  return function != nullptr && function(block, token);
}

}  // namespace bursar
