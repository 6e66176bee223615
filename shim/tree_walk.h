// ftw() and nftw() below the prefix. libc's own walk opens directories where no wrapper reaches;
// this one behaves as glibc's does (which POSIX leaves much to), on translated paths, and tells the
// callback the path as the caller spelled it.
//
// Where it is better: FTW_CHDIR finds its way back to a directory whose stream had to be closed also
// when a link was followed out of it (glibc takes "..").
#pragma once

#include <ftw.h>

#include "shim/calls.h"
#include "shim/walk_level.h"

namespace wbshim {

// No destructor: a callback may leave by an exception or longjmp, and loses what libc's walk would
// lose, too.
class TreeWalk {
 public:
  // One of the two is null. most_open: directories open at a time.
  TreeWalk(VisitFile plain, VisitNode full, int most_open, int flags)
      : plain_(plain), full_(full), most_open_(most_open < 1 ? 1 : most_open), flags_(flags) {}

  // The whole walk: what a callback returned, 0, or -1 with errno.
  int run(const char* root);

 private:
  bool starts(const char* root);
  int visit_root();
  int visit_entry(const char* name);
  int type_of(struct stat* st);
  int enter(const struct stat& st);
  int leave();
  int settle(int result);
  int tell(const struct stat* st, int type);
  int remember(const struct stat& st, bool* known);
  void forget();
  bool save_oldest();
  void pop();
  int go_to_parent_of_root();
  int go_back();
  int go_to_path();
  void finish();

  // Calls use(dirfd, name) with what leads the kernel to the path at hand.
  template <typename Use>
  auto reach(Use use) -> decltype(use(0, "")) {
    const char* name = path_.data + where_.base;
    if (top_ && top_->stream) return use(dirfd(top_->stream), name);
    if (top_ && (flags_ & FTW_CHDIR)) return use(AT_FDCWD, name);
    Mapped m(origin_, path_.data);
    if (!m.ok()) return failure<decltype(use(0, ""))>();
    return use(origin_, m.path());
  }
  int look(struct stat* st, bool follow);

  VisitFile plain_;
  VisitNode full_;
  int most_open_;
  int flags_;
  int origin_ = AT_FDCWD;  // the first working directory, when the walk leaves it
  int open_ = 0;           // streams
  struct FTW where_ = {0, 0};
  HeapText path_;            // of the entry at hand, as the caller would spell it
  Level* top_ = nullptr;     // the directory it is in
  Level* oldest_ = nullptr;  // the outermost with an open stream
  dev_t device_ = 0;
  void* seen_ = nullptr;  // directories, for walks that follow links (tsearch)
};

}  // namespace wbshim
