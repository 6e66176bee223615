#include "tools/uploader/gauges.h"

#include <algorithm>

namespace wbshim {
namespace {

constexpr size_t kPage = 1000;
// A queue up to this long is summed up whenever it has changed; of a longer one the sum may be as old
// as a millisecond for every five entries, or for every twenty when somebody asks.
constexpr size_t kShort = 2000;

}  // namespace

bool Gauges::sum_up() {
  uint64_t bytes = 0, oldest = 0;
  for (size_t at = 0;; at += kPage) {
    auto page = context_.queue.page(List::Due, at, kPage);
    if (!page) return false;
    std::vector<std::string> paths;
    for (const QueueEntry& entry : *page) paths.push_back(entry.member);
    bool away = false;
    for (const std::optional<Record>& record : context_.queue.records(paths, &away)) {
      if (!record || !record->staged()) continue;
      bytes += record->type == 'f' ? record->size : 0;
      if (record->since_ms > 0 && (oldest == 0 || record->since_ms < oldest))
        oldest = record->since_ms;
    }
    if (away) return false;
    if (page->size() < kPage) break;
  }
  waiting_.bytes = bytes;
  waiting_.oldest_ms = oldest;
  return true;
}

const Waiting& Gauges::refresh(uint64_t patience_ms) {
  current_ = false;
  std::optional<size_t> files = context_.queue.size(List::Due);
  if (!files) return waiting_;
  waiting_.files = *files;
  waiting_.deletes = context_.queue.size(List::Del).value_or(waiting_.deletes);
  waiting_.settling = context_.queue.size(List::Settle).value_or(waiting_.settling);
  if (*files == 0) {
    waiting_.bytes = waiting_.oldest_ms = 0;
    current_ = true;
    return waiting_;
  }
  uint64_t now = context_.clock.now_ms();
  uint64_t patience = patience_ms;
  if (*files > kShort)
    patience = std::max<uint64_t>(patience_ms, *files / (patience_ms > 0 ? 5 : 20));
  // Nothing published and nothing stored since: the sum still holds.
  Signature signature{*files, seen_generation(context_.page), context_.tally.uploads};
  bool changed = !summed_ || !(signature == signature_) || !context_.page;
  if (changed && (!summed_ || now >= summed_at_ms_ + patience)) {
    summed_ = sum_up();
    summed_at_ms_ = now;
    signature_ = signature;
  }
  current_ = summed_ && signature_ == signature;
  return waiting_;
}

double Gauges::oldest_age_seconds() const {
  uint64_t now = context_.queue.now_ms();
  if (waiting_.oldest_ms == 0 || now < waiting_.oldest_ms) return 0;
  return static_cast<double>(now - waiting_.oldest_ms) / 1000.0;
}

}  // namespace wbshim
