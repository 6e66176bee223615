#include "tools/uploader/watch.h"

#include <algorithm>

#include "core/util/log.h"

namespace wbshim {
namespace {

// Between two readings of the events: a program's many calls become one batch.
constexpr uint64_t kTakePauseMs = 20;
constexpr uint64_t kMendPauseMs = 60000;
constexpr size_t kPathsAtOnce = 200;

}  // namespace

Watch::Watch(const Clock& clock, TreeEvents& events, Looker& looker, Tally& tally)
    : clock_(clock), events_(events), looker_(looker), tally_(tally) {}

int Watch::wanted_fd() const {
  return clock_.now_ms() < take_at_ms_ ? -1 : events_.fd();
}

void Watch::collect(uint64_t ms) {
  uint64_t now = clock_.now_ms();
  std::vector<TreeEvent> news;
  if (now >= take_at_ms_) {
    // When nothing came the descriptor is waited for.
    if (events_.take(news)) take_at_ms_ = now + kTakePauseMs;
  }
  taking_up_ = events_.step(ms, news);
  for (const TreeEvent& event : news) {
    if (!event.path.empty()) pending_.note(event.path, now);
    if (event.below) below_.note(event.path, now);
  }
  tally_.watch_events += news.size();
  TreeLoss loss = events_.losses();
  if (loss.events || loss.directories) tally_.watch_losses++;
  lost_events_ = lost_events_ || loss.events;
  lost_ = lost_ || loss.events || loss.directories;
}

void Watch::mend() {
  uint64_t now = clock_.now_ms();
  if (!lost_ || now < mend_at_ms_) return;
  mend_at_ms_ = now + kMendPauseMs;
  if (lost_events_) {
    events_.rebuild();
    taking_up_ = true;
  }
  lost_ = lost_events_ = false;
  log_info("watch: events of the staging tree were missed; the whole tree is looked at");
  looker_.want_scan();
}

// False: Redis went away.
bool Watch::look(uint64_t until, bool patient) {
  for (;;) {
    uint64_t now = clock_.now_ms();
    std::vector<PendingPaths::Due> due = pending_.take(now, patient, kPathsAtOnce);
    if (due.empty()) return true;
    std::vector<std::string> paths;
    Looker::Looked looked;
    paths.reserve(due.size());
    for (const PendingPaths::Due& one : due) paths.push_back(one.path);
    if (!looker_.look(paths, looked)) {
      for (const std::string& path : paths) pending_.note(path, now);
      return false;
    }
    // No record of a directory leads to what Redis has below these, so no scan does.
    for (const std::string& path : looked.gone) below_.note(path, now);
    std::vector<std::string>& written = looked.written;
    std::sort(written.begin(), written.end());
    for (const PendingPaths::Due& one : due) {
      if (std::binary_search(written.begin(), written.end(), one.path))
        pending_.put_off(one.path, one.pause_ms, now);
    }
    if (clock_.now_ms() >= until) return true;
  }
}

// The contents of directories that were renamed whole. False: Redis went away.
bool Watch::look_below(uint64_t until, bool patient) {
  for (;;) {
    if (!walking_) {
      std::vector<PendingPaths::Due> due = below_.take(clock_.now_ms(), patient, 1);
      if (due.empty()) return true;
      walking_ = true;
      walked_ = due.front().path;
      looker_.begin_below(walked_);
    }
    while (!looker_.below_done()) {
      Looker::Looked looked;
      if (!looker_.step_below(looked)) {
        walking_ = false;
        below_.note(walked_, clock_.now_ms());
        return false;
      }
      for (const std::string& path : looked.written) pending_.put_off(path, 0, clock_.now_ms());
      if (clock_.now_ms() >= until) return true;
    }
    walking_ = false;
  }
}

bool Watch::step(uint64_t ms, bool redis, bool patient) {
  if (events_.fd() < 0) return false;
  uint64_t until = clock_.now_ms() + ms;
  collect(ms);
  mend();
  if (!redis) {
    // What would fill the memory until Redis is back is left to the scan.
    if (pending_.size() > PendingPaths::kMost || below_.size() > PendingPaths::kMost) {
      pending_.clear();
      below_.clear();
      walking_ = false;
      lost_ = true;
    }
    return taking_up_;
  }
  // A walk sees only what the source has taken up before.
  bool there = look(until, patient) && (taking_up_ || look_below(until, patient));
  return taking_up_ || (there && (walking_ || next_ms(redis) <= clock_.now_ms()));
}

uint64_t Watch::next_ms(bool redis) const {
  uint64_t next = UINT64_MAX;
  if (redis) next = std::min(pending_.next_ms(), below_.next_ms());
  if (lost_) next = std::min(next, mend_at_ms_);
  // Then the descriptor is to be polled again.
  return clock_.now_ms() < take_at_ms_ ? std::min(next, take_at_ms_) : next;
}

}  // namespace wbshim
