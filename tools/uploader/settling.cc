#include "tools/uploader/settling.h"

#include "core/base/fault.h"

namespace wbshim {
namespace {

constexpr uint64_t kLookMs = 5000;
constexpr uint64_t kAgainMs = 60000;
constexpr size_t kAtOnce = 4;

}  // namespace

void Settling::step() {
  if (context_.clock.now_ms() < look_at_ms_ || context_.health.paused() || context_.health.away())
    return;
  look_at_ms_ = context_.clock.now_ms() + kLookMs;
  auto entries = context_.queue.first(List::Settle, kAtOnce);
  if (!entries) return;
  for (const QueueEntry& entry : *entries) {
    if (entry.due_ms > context_.queue.now_ms()) break;
    if (asked_.size() < kAtOnce && asked_.insert(entry.member).second) ask(entry.member);
  }
}

void Settling::ask(const std::string& key) {
  WBSHIM_FAULT(SettleDue);
  context_.store.head(key, [this, key](const StoreResult& result) {
    WBSHIM_FAULT(SettleAnswered);
    asked_.erase(key);
    context_.health.saw(result);
    bool answered =
        result.outcome == StoreOutcome::Stored || result.outcome == StoreOutcome::Absent;
    if (!answered) {
      context_.queue.postpone(List::Settle, {key}, kAgainMs);
    } else {
      context_.queue.settle(key,
                            result.outcome == StoreOutcome::Absent ? std::string() : result.etag);
      WBSHIM_FAULT(SettleTold);
      look_at_ms_ = 0;
    }
  });
}

}  // namespace wbshim
