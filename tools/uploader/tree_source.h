// The daemon's source of events: fanotify where the kernel allows it, else inotify. Says in the log
// which, and why.
#pragma once

#include <memory>
#include <string>

#include "tools/uploader/fanotify_tree.h"
#include "tools/uploader/inotify_tree.h"

namespace wbshim {

class TreeSource final : public TreeEvents {
 public:
  // tree, clock: outlive this. forced: "inotify" and "fanotify" leave no choice, for tests.
  TreeSource(const Tree& tree, const Clock& clock, const std::string& forced);

  // "fanotify", "inotify" or "none", and why it is not the first of them that is there.
  std::string name() const;
  const std::string& reason() const { return reason_; }

  int fd() const override { return source().fd(); }
  bool take(std::vector<TreeEvent>& events) override;
  bool step(uint64_t ms, std::vector<TreeEvent>& events) override {
    return source().step(ms, events);
  }
  void rebuild() override { source().rebuild(); }
  bool building() const override { return source().building(); }
  TreeLoss losses() override;

 private:
  TreeEvents& source() { return fanotify_ ? static_cast<TreeEvents&>(*fanotify_) : *inotify_; }
  const TreeEvents& source() const {
    return fanotify_ ? static_cast<const TreeEvents&>(*fanotify_) : *inotify_;
  }

  const Tree& tree_;
  const Clock& clock_;
  bool forced_;
  bool changed_ = false;  // the source; what happened meanwhile nobody saw
  std::string reason_;
  std::unique_ptr<FanotifyTree> fanotify_;  // one of the two is there
  std::unique_ptr<InotifyTree> inotify_;
};

}  // namespace wbshim
