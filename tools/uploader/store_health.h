// Whether the store is worth a try, and how hard: one rhythm for all requests. Pure: no input or
// output but the log.
//
// One failure is that request's own matter; two in a row are the store's, and a pause follows that
// grows; three mean that it is away, as refused credentials do at once. Then no file is sent: an
// object of our own finds out when it is back (store_probe.h), so that the files go in order of age
// afterwards, and none of them is sent for nothing. The same goes for a store that refuses everything
// (no such bucket), and that object is the judge when kSuspicious files in a row were refused for one
// and the same reason, which may be theirs or the store's. A request for fewer requests
// (503 SlowDown) halves how many are sent at once, at most once a second, and successes raise it
// again by one a round.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/store/store.h"
#include "core/util/clock.h"
#include "tools/uploader/retry.h"

namespace wbshim {

// The class of a failure that says nothing about the store: file:// cannot put an object where a
// directory still holds some (core/store/file_error.cc). Their deletion comes first.
inline constexpr char kDirectoryInTheWay[] = "DirectoryInTheWay";

class StoreHealth {
 public:
  static constexpr unsigned kSuspicious = 5;

  StoreHealth(const Clock& clock, Random random) : clock_(clock), random_(std::move(random)) {}

  // It does what it is asked again, after two failures in a row or more. blocked: it had refused
  // everything.
  std::function<void(bool blocked)> on_back;

  // Every answer of the store to a request for a file. Logs when it goes away and when it is back.
  void saw(const StoreResult& result);
  // The answer to the object of our own.
  void probed(const StoreResult& result);

  // Nothing is to be sent before this, Clock::now_ms().
  uint64_t paused_until() const { return paused_until_; }
  bool paused() const { return clock_.now_ms() < paused_until_; }
  // How many requests at once, of `most`. 0: only the object of our own.
  size_t limit(size_t most);
  bool away() const { return blocked_ || failures_ >= kAway; }
  bool blocked() const { return blocked_; }
  // Ends the pause, unless the store itself asked for it: somebody waits, and what failed a while
  // ago may be mended.
  void try_now() { paused_until_ = asked_until_; }
  // The object of our own is to be tried.
  bool wants_probe() const { return suspected_ || away(); }
  // A failure is nobody's own: it had company, or its kind says so.
  bool everybodys(const StoreResult& result) const;
  unsigned failures() const { return failures_; }
  uint64_t failures_ever() const { return failures_ever_; }
  const std::string& trouble() const {
    return trouble_;
  }  // of the last failure in a row; empty: none

 private:
  static constexpr unsigned kAway = 3;
  void failed(const StoreResult& result);
  void throttled(const StoreResult& result);
  void refused(const StoreResult& result);
  void good();
  void pause(const RetryPolicy& policy, const StoreResult& result);

  const Clock& clock_;
  Random random_;
  unsigned failures_ = 0;  // in a row
  uint64_t failures_ever_ = 0;
  unsigned pauses_ = 0;  // since the trouble began
  uint64_t paused_until_ = 0;
  uint64_t asked_until_ = 0;  // by the store (Retry-After)
  std::string trouble_;
  bool blocked_ = false;
  bool suspected_ = false;
  std::string refusal_;  // class of the last refusals in a row
  unsigned refusals_ = 0;
  std::string cleared_;  // a class that turned out to be the files' own matter
  size_t most_ = 1;      // as last asked
  size_t window_ = SIZE_MAX;
  size_t successes_ = 0;    // since the window changed
  uint64_t shrink_at_ = 0;  // not before
};

}  // namespace wbshim
