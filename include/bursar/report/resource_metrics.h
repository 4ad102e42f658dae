#pragma once

#include <bursar/report/exposition_writer.h>
#include <bursar/report/resource_report.h>

namespace bursar {

// The families of metrics that begin with `bursar_`. A family of which nothing is known is left out. Names that
// `label_text` makes alike are added up.
//
// `unattributed_cpu_nanos` stands for the report's own figure, which may fall a little where a thread reports late; a
// counter must not.
//
// Thread-safety: as the writer. Allocates: yes. Blocks: no.
void write_resource_metrics(const ResourceReport& report, std::optional<std::uint64_t> unattributed_cpu_nanos,
                            ExpositionWriter& writer);

}  // namespace bursar
