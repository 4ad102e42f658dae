#pragma once

namespace bursar::detail {

// Wakes a thread that polls descriptors.
//
// Thread-safety: yes. Allocates: no. Blocks: no.
class Alarm {
 public:
  // Throws std::system_error where there can be no more descriptors.
  Alarm();
  ~Alarm();
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

  void ring() noexcept;
  // After this it is quiet until it is rung again.
  void clear() noexcept;

  // Readable while the alarm rings.
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

 private:
  int descriptor_;
};

}  // namespace bursar::detail
