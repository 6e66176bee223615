// The kernel's events for a whole tree by fanotify: one mark on its file system, whatever the number
// of directories, and nothing to take up when directories come or go.
//
// The kernel names a directory by its handle, which is asked for its path when the event is read. So
// a name may be newer than its event, never wrong for long: a renamed directory is told with all below
// it, under both names. A directory that is gone has no path any more; its own removal, or that of the
// topmost directory removed with it, is told by one that has, and with all below it.
//
// Events of the file system's other directories come, too, and are dropped; where these are nearly all
// of very many, crowded() says that it is not worth it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/util/clock.h"
#include "core/util/fd.h"
#include "core/util/result.h"
#include "core/volume/tree.h"
#include "tools/uploader/tree_events.h"

struct fanotify_event_metadata;

namespace wbshim {

class FanotifyTree final : public TreeEvents {
 public:
  // tree, clock: outlive this.
  FanotifyTree(const Tree& tree, const Clock& clock) : tree_(tree), clock_(clock) {}

  // Marks the file system, and sees whether events really come and lead to their directory. The error
  // says why not; then this is of no use.
  Status start();

  int fd() const override { return fd_.get(); }
  bool take(std::vector<TreeEvent>& events) override;
  bool step(uint64_t, std::vector<TreeEvent>&) override { return false; }
  void rebuild() override {}  // the mark stays, whatever was lost
  bool building() const override { return false; }
  TreeLoss losses() override;

  // Of ten thousand events within a second nine tenths were of other directories.
  bool crowded() const { return crowded_; }

 private:
  // A directory's path relative to the tree; nothing: elsewhere, or gone.
  using Place = std::optional<std::string>;

  Status mark();
  Status probe();
  // bytes: the whole of it, as it was read; what follows its head lies there.
  void handle(const fanotify_event_metadata& event, const char* bytes,
              std::vector<TreeEvent>& events);
  const Place& place_of(const char* handle, size_t size);
  Place resolve(const char* handle, size_t size);
  Place path_of(Fd directory);
  void count(uint64_t now);

  const Tree& tree_;
  const Clock& clock_;
  Fd mount_;  // open_by_handle_at wants an open file, not a mere path
  Fd fd_;
  std::string root_;                             // the tree's path, as /proc shows it
  std::unordered_map<std::string, Place> seen_;  // by handle, until a directory is renamed
  uint64_t all_ = 0, foreign_ = 0;               // since since_ms_
  uint64_t since_ms_ = 0;
  bool crowded_ = false;
  TreeLoss loss_;
};

}  // namespace wbshim
