#include "tools/uploader/pending_paths.h"

#include <algorithm>

namespace wbshim {
namespace {

// Between two looks through all of them.
constexpr uint64_t kStepMs = 50;

}  // namespace

void PendingPaths::note(const std::string& path, uint64_t now) {
  if (paths_.empty()) look_ms_ = now + kQuietMs;
  auto [found, fresh] = paths_.try_emplace(path);
  Entry& entry = found->second;
  if (fresh || entry.pause_ms > 0) entry = {0, now + kLatestMs, 0};
  entry.quiet_ms = now + kQuietMs;
}

void PendingPaths::put_off(const std::string& path, uint64_t pause_ms, uint64_t now) {
  if (paths_.empty()) look_ms_ = now;
  uint64_t pause = std::clamp(pause_ms * 2, kFirstPauseMs, kLongestPauseMs);
  // An event that came meanwhile is the better reason.
  paths_.try_emplace(path, Entry{now + pause, now + pause, pause});
}

std::vector<PendingPaths::Due> PendingPaths::take(uint64_t now, bool patient, size_t most) {
  std::vector<Due> due;
  bool crowded = paths_.size() > kMost;
  if (now < look_ms_ && !crowded) return due;
  for (auto it = paths_.begin(); it != paths_.end() && due.size() < most;) {
    const Entry& entry = it->second;
    uint64_t when = patient ? entry.latest_ms : std::min(entry.quiet_ms, entry.latest_ms);
    if (when <= now || (crowded && entry.pause_ms == 0)) {
      due.push_back({it->first, entry.pause_ms});
      it = paths_.erase(it);
    } else {
      ++it;
    }
  }
  if (due.size() < most) look_ms_ = now + kStepMs;
  return due;
}

}  // namespace wbshim
