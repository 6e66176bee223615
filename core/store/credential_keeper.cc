#include "core/store/credential_keeper.h"

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>

#include "core/store/refresh_plan.h"
#include "core/util/log.h"

namespace wbshim {
namespace {

// The clock may be set, and the machine may have slept.
constexpr uint64_t kLookAtClock_ms = 30'000;

bool same(const AwsKeys& a, const AwsKeys& b) {
  return a.keys.id == b.keys.id && a.keys.secret == b.keys.secret && a.keys.token == b.keys.token;
}

}  // namespace

CredentialKeeper::CredentialKeeper(AwsKeys first, Load load, std::function<uint64_t()> now_ms)
    : load_(std::move(load)), now_ms_(std::move(now_ms)), current_(std::move(first)) {
  due_ms_ = next_refresh_ms(current_.expires_ms, now_ms_(), false);
  if (due_ms_ != 0) start_thread();
}

CredentialKeeper::~CredentialKeeper() {
  stopped_ = true;
  {
    const std::lock_guard lock(mutex_);
    woken_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void CredentialKeeper::start_thread() {
  if (thread_.joinable()) return;
  // Signals are the main thread's business.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error& e) {
    log_warn(std::string("the store's keys are not renewed: no thread: ") + e.what());
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

std::optional<AwsKeys> CredentialKeeper::fresh() {
  const uint64_t due = due_ms_;
  if (due != 0 && now_ms_() >= due) woken_.notify_all();
  if (!news_.exchange(false)) return std::nullopt;
  const std::lock_guard lock(mutex_);
  AwsKeys out = current_;
  if (!trouble_.empty()) out.id_from += "; renewing them failed: " + trouble_;
  return out;
}

void CredentialKeeper::refused() {
  {
    const std::lock_guard lock(mutex_);
    wanted_ = true;
    woken_.notify_all();
  }
  start_thread();
}

void CredentialKeeper::run() {
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    const uint64_t due = due_ms_, now = now_ms_();
    if (!wanted_ && (due == 0 || now < due)) {
      const uint64_t pause = due == 0 ? kLookAtClock_ms : std::min(due - now, kLookAtClock_ms);
      woken_.wait_for(lock, std::chrono::milliseconds(pause));
      continue;
    }
    wanted_ = false;
    lock.unlock();
    Result<AwsKeys> found = load_(stopped_);
    lock.lock();
    if (!stopped_) take(std::move(found));
  }
}

void CredentialKeeper::take(Result<AwsKeys> found) {
  const uint64_t now = now_ms_();
  if (found) {
    AwsKeys& keys = found.value();
    if (!same(keys, current_)) {
      const std::string end =
          keys.expires_ms == 0 ? "" : ", good until " + iso_time(keys.expires_ms);
      log_info("the store has new keys: " + keys.id_from + end);
    }
    current_ = std::move(keys);
    trouble_.clear();
  } else if (trouble_ != found.message()) {
    trouble_ = found.message();
    std::string old;
    if (current_.expires_ms != 0) {
      const bool ended = current_.expires_ms <= now;
      old = std::string(ended ? "; the old ones ended at " : "; the old ones are good until ") +
            iso_time(current_.expires_ms);
    }
    log_warn("the store's keys could not be renewed: " + trouble_ + old);
  }
  due_ms_ = next_refresh_ms(current_.expires_ms, now, !found);
  news_ = true;
}

}  // namespace wbshim
