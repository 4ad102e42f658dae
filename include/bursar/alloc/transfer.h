#pragma once

#include <bursar/groups/resource_group_token.h>

namespace bursar {

// The block, which came from the tracked malloc or operator new, belongs to the token's group from now on: for work
// that changes hands, as a request does that one component parsed and another keeps. False where the block is not
// tracked. REQUIRES: no other thread releases or reallocates the block meanwhile.
//
// Thread-safety: any thread. Allocates: no. Blocks: no.
bool transfer(void* block, ResourceGroupToken token) noexcept;

namespace alloc {

// How the tracked malloc of this process, where there is one, moves a block.
using TransferFunction = bool (*)(void* block, ResourceGroupToken token) noexcept;
void install_transfer(TransferFunction function) noexcept;

}  // namespace alloc
}  // namespace bursar
