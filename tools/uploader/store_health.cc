#include "tools/uploader/store_health.h"

#include <algorithm>

#include "core/util/log.h"

namespace wbshim {
namespace {

constexpr uint64_t kShrinkEveryMs = 1000;

}  // namespace

void StoreHealth::pause(const RetryPolicy& policy, const StoreResult& result) {
  uint64_t ms = std::max(retry_ms(++pauses_, policy, random_()), result.retry_after_ms);
  paused_until_ = std::max(paused_until_, clock_.now_ms() + ms);
  if (result.retry_after_ms > 0)
    asked_until_ = std::max(asked_until_, clock_.now_ms() + result.retry_after_ms);
}

size_t StoreHealth::limit(size_t most) {
  most_ = std::max<size_t>(most, 1);
  return wants_probe() ? 0 : std::min(most, window_);
}

bool StoreHealth::everybodys(const StoreResult& result) const {
  return failures_ > 1 || wants_probe() || result.throttled || result.mended ||
         result.outcome == StoreOutcome::Credentials || result.outcome == StoreOutcome::Blocked;
}

void StoreHealth::saw(const StoreResult& result) {
  switch (result.outcome) {
    case StoreOutcome::Stored:
    case StoreOutcome::Absent:
      cleared_.clear();
      return good();
    case StoreOutcome::Refused:
      return refused(result);
    case StoreOutcome::Blocked:
    case StoreOutcome::Credentials:
    case StoreOutcome::TryLater:
    case StoreOutcome::Unknown:
      break;
  }
  if (result.error_class == kDirectoryInTheWay) return good();
  if (result.mended) return;  // again at once
  if (result.throttled) return throttled(result);
  failed(result);
}

void StoreHealth::good() {
  if (window_ != SIZE_MAX && ++successes_ >= window_) {
    successes_ = 0;
    window_++;
    if (window_ >= most_) window_ = SIZE_MAX;
  }
  bool had_company = failures_ > 1, was_blocked = blocked_;
  if (away()) log_warn("the store answers again");
  failures_ = refusals_ = pauses_ = 0;
  blocked_ = suspected_ = false;
  paused_until_ = asked_until_ = 0;
  trouble_.clear();
  if ((had_company || was_blocked) && on_back) on_back(was_blocked);
}

void StoreHealth::failed(const StoreResult& result) {
  bool was_away = away();
  bool refused = result.outcome == StoreOutcome::Credentials;
  bool does_nothing =
      result.outcome == StoreOutcome::Blocked || result.outcome == StoreOutcome::Refused;
  failures_ever_++;
  failures_ = refused ? std::max(failures_ + 1, kAway) : failures_ + 1;
  blocked_ = blocked_ || does_nothing;
  trouble_ = result.message;
  // Of one burst: the first has begun the pause.
  if (was_away && paused()) return;
  const RetryPolicy& policy = refused ? kCredentials : does_nothing ? kBlocked : kStorePause;
  // A single failure is that request's own matter.
  if (failures_ > 1 || away() || result.retry_after_ms > 0) pause(policy, result);
  if (!was_away && away())
    log_warn((does_nothing ? "the store does nothing: " : "the store fails: ") + trouble_);
}

void StoreHealth::throttled(const StoreResult& result) {
  trouble_ = result.message;
  uint64_t now = clock_.now_ms();
  if (result.retry_after_ms > 0)
    paused_until_ = asked_until_ = std::max(paused_until_, now + result.retry_after_ms);
  if (now < shrink_at_) return;  // of the same burst
  shrink_at_ = now + kShrinkEveryMs;
  successes_ = 0;
  window_ = std::max<size_t>(std::min(window_, most_) / 2, 1);
  pause(kStorePause, result);
  failures_ever_++;
  if (++failures_ == kAway) log_warn("the store fails: " + trouble_);
}

// A file's own matter, as a rule.
void StoreHealth::refused(const StoreResult& result) {
  if (wants_probe()) return;  // its turn came before
  unsigned in_a_row = result.error_class == refusal_ ? refusals_ + 1 : 1;
  good();  // it is an answer
  refusal_ = result.error_class;
  refusals_ = in_a_row;
  if (refusals_ >= kSuspicious && refusal_ != cleared_) suspected_ = true;
}

void StoreHealth::probed(const StoreResult& result) {
  if (result.mended) return;
  if (result.outcome == StoreOutcome::Stored) {
    if (suspected_ && !away()) cleared_ = refusal_;
    return good();
  }
  if (result.throttled) return throttled(result);
  failed(result);
  suspected_ = suspected_ && !away();
}

}  // namespace wbshim
