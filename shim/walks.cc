#include "shim/walks.h"

#include "shim/tree_walk.h"

namespace wbshim {
namespace {

constexpr int kNodeFlags = FTW_PHYS | FTW_MOUNT | FTW_CHDIR | FTW_DEPTH | FTW_ACTIONRETVAL;

// libc's own struct of a walk stays on the stack below the callback, so that an exception of the
// callback's passes here: no object with a destructor may be about.
int walked(TreeWalk walk, const char* path) {
  return walk.run(path);
}

}  // namespace

[[gnu::noinline]] Start start_of(const char* path) {
  if (!settings.on) return Start::Outside;
  Mapped m(path);
  if (!m.ok()) return Start::Fails;
  // A path that leaves the prefix again is one that libc could not follow.
  return m.inside() || m.path() != path ? Start::Inside : Start::Outside;
}

int walk_files(const char* path, VisitFile visit, int most_open,
               int (*real)(const char*, VisitFile, int)) {
  Start start = start_of(path);
  if (start == Start::Outside) return real(path, visit, most_open);
  if (start == Start::Fails) return -1;
  return walked(TreeWalk(visit, nullptr, most_open, 0), path);
}

int walk_nodes(const char* path, VisitNode visit, int most_open, int flags,
               int (*real)(const char*, VisitNode, int, int)) {
  Start start = start_of(path);
  if (start == Start::Outside) return real(path, visit, most_open, flags);
  if (flags & ~kNodeFlags) {
    errno = EINVAL;
    return -1;
  }
  if (start == Start::Fails) return -1;
  return walked(TreeWalk(nullptr, visit, most_open, flags), path);
}

}  // namespace wbshim
