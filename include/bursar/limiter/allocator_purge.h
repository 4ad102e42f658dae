#pragma once

#include <functional>

namespace bursar {

// Asks the process's allocator to give its free memory back to the kernel: glibc's malloc_trim, jemalloc's purge of all
// arenas, mimalloc's mi_collect, tcmalloc's MallocExtension_ReleaseFreeMemory, whichever of them the process contains,
// found when this is called. Empty where it contains none.
//
// Thread-safety: what is returned may be called from any thread. Allocates: here, once. Blocks: what is returned takes
// the allocator's locks and about a tenth of a second for a GiB of scattered free blocks.
[[nodiscard]] std::function<void()> allocator_purge();

}  // namespace bursar
