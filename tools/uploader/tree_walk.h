// Compares paths of the staging tree with their records, and publishes where the two disagree: single
// paths, or all that lies below a directory, a batch at a time. It never knows more than scan_rule.h:
// absence is evidence of nothing but what stands there.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tools/uploader/context.h"
#include "tools/uploader/scan_rule.h"

namespace wbshim {

class TreeWalk {
 public:
  // How a disagreement is treated: by the rule, or as our own act on records up to base.
  struct Manner {
    bool ours = false;
    uint64_t base = 0;
    bool leave_written = false;  // a file that somebody writes to is left alone
  };
  struct Findings {
    size_t published = 0;
    std::vector<std::string> directories;  // of what was compared; there may be more below them
    std::vector<std::string> written;      // left alone
  };

  // label: begins the line in the log.
  TreeWalk(Context& context, const char* label);

  // Records up to this generation may miss in the tree without having been removed (the tree is not
  // the one they were made in).
  void set_floor(uint64_t generation) { floor_ = generation; }

  // After a power loss, until the whole tree has been judged.
  void set_suspicion(const Suspicion& suspicion) { rule_.suspicion = suspicion; }
  void set_durable(bool durable) { rule_.durable = durable; }

  // Compares just these. False: Redis is away, and some may not have been looked at.
  bool compare(const std::vector<std::string>& paths, const Manner& manner, Findings& findings);

  // All that tree and Redis have below the directory; an earlier walk is forgotten. From the root it
  // also finds records that no directory's record leads to.
  void begin(const std::string& directory);
  // One batch of it. False: Redis is away; begin again.
  bool step(const Manner& manner, Findings& findings);
  bool done() const { return stack_.empty() && !hunting_; }
  void stop() {
    stack_.clear();
    hunting_ = false;
  }

  // What cannot be looked into, and errno.
  std::function<void(const std::string& path, int error)> on_unreadable;

 private:
  struct Place {
    std::string path;
    std::vector<std::string> names;  // of the tree's side, still to be compared
    bool read = false;               // names is filled
    bool listed = false;             // the tree's side is done
    std::string cursor = "0";        // of Redis' side
  };

  bool hunt();
  void read_names(Place& place);
  bool list_some(Place& place);
  bool descend(const std::string& directory, const std::vector<std::string>& names,
               const Manner& manner, bool from_redis, Findings& findings);
  bool compare_all(const std::vector<std::string>& paths, const Manner& manner, bool from_redis,
                   Findings& findings);
  bool has_hole(const std::string& path, const struct stat& st) const;
  void hold_back(const std::string& path, const Record& record);
  void give_up(const std::string& path, const Record& record, ScanAction action);
  bool somebody_writes(const std::string& path) const;
  bool refresh_rule();
  void cannot_read(const std::string& path, int error) const;

  Context& context_;
  std::string label_;
  uint64_t floor_ = 0;
  ScanRule rule_;
  std::vector<Place> stack_;
  bool hunting_ = false;  // for strays, when the stack is empty
  std::string hunt_cursor_;
  std::vector<std::string> names_;
};

}  // namespace wbshim
