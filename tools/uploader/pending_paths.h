// Paths that the kernel named, until it is time to look at them: when nothing more was heard of one
// for a moment, so that whoever changed it published it first, or, if there is no quiet, a little
// later. Pure: the time is handed in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace wbshim {

class PendingPaths {
 public:
  static constexpr uint64_t kQuietMs = 300;    // after the last event
  static constexpr uint64_t kLatestMs = 1500;  // after the first one
  static constexpr uint64_t kFirstPauseMs = 1000;
  static constexpr uint64_t kLongestPauseMs = 60000;
  static constexpr size_t kMost = 20000;  // more are looked at without waiting

  struct Due {
    std::string path;
    uint64_t pause_ms = 0;  // it was put off this long the last time; 0: it comes from an event
  };

  void note(const std::string& path, uint64_t now);
  // Looked at, but it is too early to tell (somebody writes): again after twice the last pause.
  void put_off(const std::string& path, uint64_t pause_ms, uint64_t now);

  // Takes up to `most` of those whose time has come. patient: quiet is not enough, only the latest
  // time counts.
  std::vector<Due> take(uint64_t now, bool patient, size_t most);
  // take() may find something from then on. UINT64_MAX: not before the next note().
  uint64_t next_ms() const { return paths_.empty() ? UINT64_MAX : look_ms_; }

  size_t size() const { return paths_.size(); }
  void clear() { paths_.clear(); }

 private:
  struct Entry {
    uint64_t quiet_ms = 0;
    uint64_t latest_ms = 0;
    uint64_t pause_ms = 0;
  };
  std::unordered_map<std::string, Entry> paths_;
  uint64_t look_ms_ = 0;
};

}  // namespace wbshim
