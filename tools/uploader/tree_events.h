// What the kernel tells of the staging tree: which paths to look at, nothing about what happened
// there. The daemon's source is tree_source.h, which chooses fanotify_tree.h or inotify_tree.h; tests
// have one of their own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace wbshim {

struct TreeEvent {
  std::string path;    // relative to the tree
  bool below = false;  // a directory came or went whole: all below it, too
};

// What a source could not see. The scan has to find it.
struct TreeLoss {
  bool events = false;       // some were lost: rebuild() is needed, too
  bool directories = false;  // some directories cannot be watched
};

class TreeEvents {
 public:
  virtual ~TreeEvents() = default;
  // Readable when take() has something. -1: there is no source, and never will be.
  virtual int fd() const = 0;
  // Appends what has come. True: something has, also when none of it is of the tree.
  virtual bool take(std::vector<TreeEvent>& events) = 0;
  // Takes up new directories for about `ms`, and appends what was in them before they were watched.
  // True: there is more to do.
  virtual bool step(uint64_t ms, std::vector<TreeEvent>& events) = 0;
  // Takes up the whole tree, also after a loss.
  virtual void rebuild() = 0;
  // The directories that were there at rebuild() are not all watched yet.
  virtual bool building() const = 0;
  // Since the last question.
  virtual TreeLoss losses() = 0;
};

}  // namespace wbshim
