#pragma once

#include <pthread.h>
#include <signal.h>

namespace bursar {

// While it lives the calling thread takes no signals, and a thread that it makes never will: signals are for the
// program's own threads, and a new one inherits the mask.
//
// Thread-safety: belongs to one thread. Allocates: no. Blocks: no.
class [[nodiscard]] BlockedSignals {
 public:
  [[nodiscard]] BlockedSignals() noexcept {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~BlockedSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;

 private:
  sigset_t before_;
};

}  // namespace bursar
