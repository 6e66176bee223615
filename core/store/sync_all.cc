#include "core/store/sync_all.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <system_error>
#include <thread>

namespace wbshim {
namespace {

constexpr size_t kThreads = 8;

// Signals are the main thread's business; what it starts meanwhile inherits the mask.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

std::vector<int> sync_all(const std::vector<int>& descriptors) {
  std::vector<int> errors(descriptors.size(), 0);
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    for (size_t i = next++; i < descriptors.size(); i = next++) {
      errors[i] = fsync(descriptors[i]) == 0 ? 0 : errno;
    }
  };
  std::vector<std::thread> helpers;
  try {
    const SignalsBlocked blocked;
    const size_t wanted = std::min(kThreads, descriptors.size());
    for (size_t i = 1; i < wanted; i++) helpers.emplace_back(work);
  } catch (const std::system_error&) {
    // No more threads to be had: the ones there are do the work.
  }
  work();
  for (std::thread& helper : helpers) helper.join();
  return errors;
}

}  // namespace wbshim
