// Keys that end, renewed before they do, on a thread of their own: the event loop never waits for a
// metadata server or a credential_process, it is handed what they gave.
//
// Old keys stay in use until new ones are there. A failure is logged, once for each text, and shows
// in id_from of the old keys. The thread starts when it is first needed: never, for keys without an
// end that are not refused.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "core/store/aws_keys.h"
#include "core/util/result.h"

namespace wbshim {

class CredentialKeeper {
 public:
  // Runs on the keeper's thread and may take its time; returns soon when stopped becomes true.
  using Load = std::function<Result<AwsKeys>(const std::atomic<bool>& stopped)>;

  // now_ms: since 1970; called on both threads.
  CredentialKeeper(AwsKeys first, Load load, std::function<uint64_t()> now_ms);
  ~CredentialKeeper();
  CredentialKeeper(const CredentialKeeper&) = delete;
  CredentialKeeper& operator=(const CredentialKeeper&) = delete;

  // What was found since the last call; cheap enough for every request. Looks at the clock, too,
  // which may have been set.
  std::optional<AwsKeys> fresh();

  // The store does not take them: new ones are looked for now, whatever their end.
  void refused();

 private:
  void start_thread();
  void run();
  void take(Result<AwsKeys> found);

  const Load load_;
  const std::function<uint64_t()> now_ms_;
  std::atomic<bool> stopped_ = false;
  std::atomic<bool> news_ = false;    // spares fresh() the lock
  std::atomic<uint64_t> due_ms_ = 0;  // 0: never

  std::mutex mutex_;  // of what follows
  std::condition_variable woken_;
  AwsKeys current_;
  std::string trouble_;  // the last failure; empty after a success
  bool wanted_ = false;

  std::thread thread_;
};

}  // namespace wbshim
