#pragma once

#include <bursar/report/resource_report.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>

namespace bursar::report_detail {

// Keeps reports, so that one can be compared with one that is a second old: without a thread, out of what is looked at
// anyway.
//
// Thread-safety: yes. Allocates: no, but it keeps up to two reports. Blocks: for a few instructions of another caller.
class LookBack {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  struct Earlier {
    std::shared_ptr<const ResourceReport> report;
    std::chrono::nanoseconds elapsed;
  };

  // Keeps `report`, and answers the latest kept one that is a second old at least: between one and two seconds where
  // reports come at least once a second, else the one before. Nothing in the first second.
  [[nodiscard]] std::optional<Earlier> keep(std::shared_ptr<const ResourceReport> report, TimePoint now);

 private:
  struct Kept {
    std::shared_ptr<const ResourceReport> report;
    TimePoint time;
  };

  std::mutex mutex_;
  Kept ripe_;   // a second old at least
  Kept fresh_;  // takes its place when it is as old
};

}  // namespace bursar::report_detail
