#pragma once

#include <csignal>

#include "blast_options.h"
#include "blast_report.h"
#include "target.h"

namespace bursar::blast {

// Sends traffic to `target` until the time or the lines are over, or `interrupted` becomes nonzero.
//
// Thread-safety: belongs to one thread; a signal handler may set `interrupted`. Allocates: a packet. Blocks: until the
// end.
[[nodiscard]] BlastReport run_blast(const BlastOptions& options, Target& target,
                                    const volatile std::sig_atomic_t& interrupted);

}  // namespace bursar::blast
