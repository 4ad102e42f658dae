#pragma once

#include <cstdint>

namespace bursar {
class ResourceGroupToken;
}  // namespace bursar

namespace bursar::groups {

class ThreadAccount;

// A thread's stay in a group, as a value without a destructor: what a guard is made of, and what a coroutine hands over
// when the stay has to outlive its frame. Every `enter` is followed by one `leave`, on the same thread and in reverse
// order.
//
// Thread-safety: belongs to one thread. Allocates: no. Blocks: no.
// Cost: a few instructions and a read of the thread's CPU clock at either end.
class GroupVisit {
 public:
  GroupVisit() noexcept = default;
  [[nodiscard]] static GroupVisit enter(ResourceGroupToken token) noexcept;
  void leave() noexcept;

 private:
  void leave_out_of_order() noexcept;

  ThreadAccount* account_ = nullptr;  // null where the thread is past its end: then `root` is charged
  std::uint32_t life_ = 0;            // which of the threads that have the account, one after the other
  std::uint32_t place_ = 0;
  std::uint16_t entered_ = 0;
  std::uint16_t previous_ = 0;
};

}  // namespace bursar::groups
