// What one FLUSH waits for, files and deletions: how far each has come, which are given up, and the
// lines that say so.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <unordered_map>

#include "core/volume/queue.h"
#include "tools/uploader/deletes.h"
#include "tools/uploader/uploads.h"

namespace wbshim {

struct FlushEntry {
  uint64_t size = 0;
  uint64_t open_since_ms = 0;  // first seen open for writing, Clock::now_ms()
  unsigned failures = 0;
  std::string reason;  // why it is not stored: "open", "failed", "dead", "store"
  bool left = false;   // given up
};
using FlushEntries = std::unordered_map<std::string, FlushEntry>;

class FlushList {
 public:
  // What is still to be done: uploads by path (List::Due), deletions by object key (List::Del).
  FlushEntries& of(List list) { return list == List::Del ? keys_ : paths_; }
  const FlushEntries& of(List list) const { return list == List::Del ? keys_ : paths_; }
  size_t size() const { return paths_.size() + keys_.size(); }

  void clear();
  // All that there is now is the whole of the work.
  void count();
  // One more upload; false: known already.
  bool add(const std::string& path);
  void stored(List list, const std::string& name);
  // Of an upload that ended as Nothing it cannot be said here whether it is stored: the caller asks.
  void saw(const UploadEvent& event, uint64_t now_ms);
  void saw(const DeleteEvent& event);
  void give_up();

  // Is there any that has not been given up?
  bool waiting(List list) const;
  // Parents of what was dealt with since the last time: they may have become empty.
  std::set<std::string> take_parents();
  void add_parents(const std::set<std::string>& parents) {
    parents_.insert(parents.begin(), parents.end());
  }

  std::string progress() const;
  // A line for each that is not stored, added to `lines`. Returns how many.
  size_t add_left(std::string& lines) const;

 private:
  FlushEntries paths_, keys_;
  std::set<std::string> parents_;
  uint64_t entries_total_ = 0, entries_done_ = 0, bytes_total_ = 0, bytes_done_ = 0;
};

}  // namespace wbshim
