// The backstop: changes that nobody published (programs without the library, killed ones, mappings
// that outlive their descriptor) are found by the kernel's events. An event is only a reason to look:
// after a short quiet time the path is compared with its record, by the scan's rule, and published if
// they disagree. What the library published in time costs one read and no second publish.
//
// Where the kernel cannot tell (its queue ran over, too many directories) the scan is asked for, at
// most once a minute. Nothing fails because of it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/util/clock.h"
#include "tools/uploader/pending_paths.h"
#include "tools/uploader/tally.h"
#include "tools/uploader/tree_events.h"

namespace wbshim {

// What the watch has done for it; the daemon's is record_looker.h.
class Looker {
 public:
  virtual ~Looker() = default;
  struct Looked {
    std::vector<std::string> written;  // left alone because somebody writes to them
    std::vector<std::string> gone;  // no directories any more, but Redis has something below them
  };
  // Compares the paths with their records. False: Redis is away, some were not looked at.
  virtual bool look(const std::vector<std::string>& paths, Looked& looked) = 0;
  // All below a directory, a batch a step; begin_below() forgets an unfinished one.
  virtual void begin_below(const std::string& directory) = 0;
  virtual bool step_below(Looked& looked) = 0;  // false: Redis is away
  virtual bool below_done() const = 0;
  virtual void want_scan() = 0;
};

class Watch {
 public:
  // All outlive the watch.
  Watch(const Clock& clock, TreeEvents& events, Looker& looker, Tally& tally);

  // To be polled for reading; -1: not now. Then call step().
  int wanted_fd() const;
  // Works for about `ms`. redis: it can be asked. patient: the journal has lines that wait, they
  // come first as long as that is not long. True: there is more to do now.
  bool step(uint64_t ms, bool redis, bool patient);
  uint64_t next_ms(bool redis) const;
  // No whole look at the tree before this is false: what changes meanwhile may not be seen.
  bool building() const { return events_.building(); }

 private:
  void collect(uint64_t ms);
  void mend();
  bool look(uint64_t until, bool patient);
  bool look_below(uint64_t until, bool patient);

  const Clock& clock_;
  TreeEvents& events_;
  Looker& looker_;
  Tally& tally_;
  PendingPaths pending_;
  PendingPaths below_;  // directories whose contents are to be looked at
  std::string walked_;  // the one of them that the looker walks
  bool walking_ = false;
  bool lost_ = false;         // a scan is wanted
  bool lost_events_ = false;  // and the source has to begin again
  bool taking_up_ = true;     // the source has directories to take up
  uint64_t mend_at_ms_ = 0;
  uint64_t take_at_ms_ = 0;
};

}  // namespace wbshim
