#include "tools/uploader/tree_source.h"

#include "core/util/log.h"

namespace wbshim {

TreeSource::TreeSource(const Tree& tree, const Clock& clock, const std::string& forced)
    : tree_(tree), clock_(clock), forced_(forced == "fanotify") {
  if (forced != "inotify") {
    fanotify_ = std::make_unique<FanotifyTree>(tree, clock);
    Status started = fanotify_->start();
    if (!started) {
      reason_ = started.message();
      // Forced, it stays the source: one that never has anything.
      if (!forced_) fanotify_.reset();
    }
  }
  if (!fanotify_) inotify_ = std::make_unique<InotifyTree>(tree, clock);
  log_info("watch: the staging tree's changes come by " + name() +
           (reason_.empty() ? "" : " (no fanotify: " + reason_ + ")"));
}

std::string TreeSource::name() const {
  if (fd() < 0) return "none";
  return fanotify_ ? "fanotify" : "inotify";
}

bool TreeSource::take(std::vector<TreeEvent>& events) {
  bool some = source().take(events);
  if (!fanotify_ || !fanotify_->crowded() || forced_) return some;
  reason_ = "the disk is busy with other directories";
  log_warn(
      "watch: by inotify from now on: of 10,000 events a second nine tenths are of the disk's "
      "other directories; a disk of its own for the staging directory would help");
  inotify_ = std::make_unique<InotifyTree>(tree_, clock_);
  inotify_->rebuild();
  fanotify_.reset();
  changed_ = true;
  return some;
}

TreeLoss TreeSource::losses() {
  TreeLoss loss = source().losses();
  loss.directories = loss.directories || changed_;
  changed_ = false;
  return loss;
}

}  // namespace wbshim
