// The kernel's events for a whole tree by inotify: a watch a directory, kept through renames.
//
// A name is bound to a watch by asking the kernel which directory has it now (adding a watch to a
// directory that has one answers with the same number), through a descriptor of its parent whose inode
// is the one we know. So events that come late, exchanges and chains of renames end with the right
// names, and a renamed directory costs one such question however much lies below it.
#pragma once

#include <sys/types.h>

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/util/clock.h"
#include "core/util/fd.h"
#include "core/volume/tree.h"
#include "tools/uploader/tree_events.h"

struct inotify_event;

namespace wbshim {

class InotifyTree final : public TreeEvents {
 public:
  // tree, clock: outlive this. Nothing is watched before rebuild().
  InotifyTree(const Tree& tree, const Clock& clock);

  int fd() const override { return fd_.get(); }
  bool take(std::vector<TreeEvent>& events) override;
  bool step(uint64_t ms, std::vector<TreeEvent>& events) override;
  void rebuild() override;
  bool building() const override { return building_ > 0; }
  TreeLoss losses() override;

  size_t directories() const { return nodes_.size(); }

 private:
  // A watched directory. Without a parent (and not the root) it has left the tree, or its new name
  // has not been heard of yet.
  struct Node {
    int parent = -1;
    const std::string* name = nullptr;    // the key in the parent's children
    std::map<std::string, int> children;  // watched directories
    ino_t inode = 0;
  };
  // What is to be done with a directory found.
  enum class Found { ByEvent, ByBuilding };
  struct Task {
    int watch;
    Found found;
  };

  void handle(const inotify_event& event, std::vector<TreeEvent>& events);
  std::optional<std::string> path_of(int watch) const;
  Fd open_known(int watch);
  void bind(int directory_fd, int parent, const std::string& name, Found found,
            std::vector<TreeEvent>& events);
  void unbind(int parent, const std::string& name);
  void attach(int watch, int parent, const std::string& name);
  void list(const Task& task, std::vector<TreeEvent>& events);
  void forget(int watch);
  void drop_strays();
  void failed(int error);

  const Tree& tree_;
  const Clock& clock_;
  Fd fd_;
  int root_ = -1;
  std::unordered_map<int, Node> nodes_;
  std::deque<Task> tasks_;
  size_t building_ = 0;                // tasks of a rebuild
  std::unordered_set<int> unsettled_;  // directories whose children could not be asked for
  std::map<int, uint64_t> strays_;     // without a parent, since when
  TreeLoss loss_;
  bool full_ = false;  // a directory could not be watched; said so, once
};

}  // namespace wbshim
