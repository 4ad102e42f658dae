#pragma once

#include <bursar/base/clock.h>
#include <bursar/limiter/detect_memory_limit.h>
#include <bursar/limiter/memory_sensor.h>

#include <expected>
#include <string>

namespace bursar {

// Senses the working set of a control group: what it uses, less the file pages that the kernel drops before it kills
// (memory.current and inactive_file of version 2, memory.usage_in_bytes and total_inactive_file of version 1). All that
// lies in the group counts, other processes, groups below it and the kernel's memory for them included. Of the group
// that detect_memory_limit() says has the lowest limit, it is the figure that decides about a kill.
//
// The inactive file pages are read anew 20 times a second at most: memory.stat is a long file. A file that cannot be
// read is opened again for the next reading. The error is one line that names the file and says what is wrong with it.
//
// Thread-safety: one thread at a time. Allocates: when it is made, and to open a file again. Blocks: no.
// Cost: one system call of 0.3 us, and 20 times a second one of 5 to 50 us.
[[nodiscard]] std::expected<MemorySensor, std::string> cgroup_working_set_sensor(const CgroupPlace& group,
                                                                                 Clock& clock = monotonic_clock());

}  // namespace bursar
