#include "shim/tree_walk.h"

#include <search.h>

namespace wbshim {
namespace {

static_assert(sizeof(struct stat) == sizeof(struct stat64), "the 64 variants share one layout");

struct Seen {
  dev_t device;
  ino_t inode;
};

int compare(const void* left, const void* right) {
  const auto* a = static_cast<const Seen*>(left);
  const auto* b = static_cast<const Seen*>(right);
  if (a->inode != b->inode) return a->inode < b->inode ? -1 : 1;
  if (a->device != b->device) return a->device < b->device ? -1 : 1;
  return 0;
}

// What the walks of old know of a type: no links, no second visit of directories.
int plain_type(int type) {
  if (type == FTW_SL) return FTW_F;
  return type == FTW_SLN ? FTW_NS : type;
}

}  // namespace

int TreeWalk::tell(const struct stat* st, int type) {
  return full_ ? full_(path_.data, st, type, &where_) : plain_(path_.data, st, plain_type(type));
}

int TreeWalk::look(struct stat* st, bool follow) {
  return reach([=](int at, const char* name) {
    int result = NEXT(fstatat)(at, name, st, follow ? 0 : AT_SYMLINK_NOFOLLOW);
    if (result == 0 && S_ISLNK(st->st_mode)) fix_link_size(at, name, &st->st_size);
    return result;
  });
}

// -1: the walk ends.
int TreeWalk::type_of(struct stat* st) {
  bool follow = !(flags_ & FTW_PHYS);
  if (look(st, follow) == 0)
    return S_ISDIR(st->st_mode) ? FTW_D : S_ISLNK(st->st_mode) ? FTW_SL : FTW_F;
  if (errno != ENOENT && (errno != EACCES || !top_)) return -1;
  if (follow && look(st, false) == 0 && S_ISLNK(st->st_mode)) return FTW_SLN;
  if (!top_) return -1;  // nothing can be said of the root
  *st = {};
  return FTW_NS;
}

int TreeWalk::remember(const struct stat& st, bool* known) {
  auto* seen = static_cast<Seen*>(libc_heap::take(sizeof(Seen)));
  if (seen) *seen = {st.st_dev, st.st_ino};
  void* node = seen ? tsearch(seen, &seen_, compare) : nullptr;
  *known = node && *static_cast<Seen**>(node) != seen;
  if (!node || *known) libc_heap::give(seen);
  if (node) return 0;
  errno = ENOMEM;
  return -1;
}

void TreeWalk::forget() {
  tdestroy(seen_, libc_heap::give);
}

int TreeWalk::visit_entry(const char* name) {
  path_.truncate(top_->path_size);
  if (path_.data[path_.size - 1] != '/' && !path_.add("/")) return -1;
  where_.base = static_cast<int>(path_.size);
  if (!path_.add(name)) return -1;
  struct stat st;
  int type = type_of(&st);
  if (type < 0) return -1;
  if (type != FTW_NS && (flags_ & FTW_MOUNT) && st.st_dev != device_) return 0;
  if (type != FTW_D) return tell(&st, type);
  bool known = false;
  if (!(flags_ & FTW_PHYS) && remember(st, &known) != 0) return -1;
  return known ? 0 : enter(st);
}

int TreeWalk::visit_root() {
  if ((flags_ & FTW_CHDIR) && where_.base > 0 && go_to_parent_of_root() != 0) return -1;
  struct stat st;
  int type = type_of(&st);
  if (type < 0) return -1;
  if (type != FTW_D) return tell(&st, type);
  device_ = st.st_dev;
  bool known;
  if (!(flags_ & FTW_PHYS) && remember(st, &known) != 0) return -1;
  return enter(st);
}

// What a callback's answer means for the directory at hand, when answers are orders.
int TreeWalk::settle(int result) {
  if (!(flags_ & FTW_ACTIONRETVAL)) return result;
  if (result == FTW_SKIP_SIBLINGS && top_) top_->done = true;
  return result == FTW_SKIP_SUBTREE || result == FTW_SKIP_SIBLINGS ? 0 : result;
}

int TreeWalk::run(const char* root) {
  int result = starts(root) ? settle(visit_root()) : -1;
  while (result == 0 && top_) {
    const char* name = top_->next();
    result = settle(name ? visit_entry(name) : leave());
  }
  finish();
  return result;
}

}  // namespace wbshim
