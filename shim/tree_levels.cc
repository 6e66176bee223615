#include "shim/tree_walk.h"

// Into directories and out of them, and how the working directory follows.
namespace wbshim {
namespace {

int go_to(int fd) {
  int result = NEXT(fchdir)(fd);
  if (result == 0) note_directory(false);
  return result;
}

int opened(int fd) {
  if (fd >= 0) return fd;
  errno = -fd;
  return -1;
}

}  // namespace

bool TreeWalk::save_oldest() {
  if (!oldest_->save()) return false;
  oldest_ = oldest_->inner;
  open_--;
  return true;
}

void TreeWalk::pop() {
  Level* level = top_;
  if (level->stream) open_--;
  if (oldest_ == level) oldest_ = nullptr;
  top_ = level->outer;
  if (top_) top_->inner = nullptr;
  level->destroy();
}

// Opens the directory at hand; the walk goes on inside it.
int TreeWalk::enter(const struct stat& st) {
  if (open_ == most_open_ && !save_oldest()) return -1;
  DIR* stream = reach([](int at, const char* name) { return open_stream_at(at, name); });
  if (!stream) return errno == EACCES ? tell(&st, FTW_DNR) : -1;
  Level* level = Level::make();
  if (!level) {
    close_stream_of(stream);
    return -1;
  }
  level->stream = stream;
  level->st = st;
  level->path_size = path_.size;
  level->base = where_.base;
  level->outer = top_;
  if (top_) top_->inner = level;
  top_ = level;
  if (!oldest_) oldest_ = level;
  open_++;
  int result = flags_ & FTW_DEPTH ? 0 : tell(&level->st, FTW_D);
  if (result == 0 && (flags_ & FTW_CHDIR)) result = go_to(dirfd(level->stream));
  if (result != 0)
    pop();
  else
    where_.level++;
  return result;
}

// The directory has no more entries.
int TreeWalk::leave() {
  if (top_->stream) {
    open_--;
    if (oldest_ == top_) oldest_ = nullptr;
    top_->close_stream();
  }
  path_.truncate(top_->path_size);
  where_ = {top_->base, where_.level - 1};
  int result = flags_ & FTW_DEPTH ? tell(&top_->st, FTW_DP) : 0;
  pop();
  bool goes_on = result == 0 || ((flags_ & FTW_ACTIONRETVAL) && result != -1 && result != FTW_STOP);
  if (goes_on && (flags_ & FTW_CHDIR) && go_back() != 0) return -1;
  return result;
}

int TreeWalk::go_to_path() {
  int fd = -1;
  {
    Mapped m(origin_, path_.data);
    if (m.ok()) fd = opened(sys::openat(origin_, m.path(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  }
  if (fd < 0) return -1;
  int result = go_to(fd);
  sys::close(fd);
  return result;
}

int TreeWalk::go_to_parent_of_root() {
  char* end = path_.data + (where_.base > 1 ? where_.base - 1 : 1);
  char kept = *end;
  *end = '\0';
  int result = go_to_path();
  *end = kept;
  return result;
}

int TreeWalk::go_back() {
  if (!top_ || (top_->stream && go_to(dirfd(top_->stream)) == 0)) return 0;
  path_.truncate(top_->path_size);
  return go_to_path();
}

bool TreeWalk::starts(const char* root) {
  size_t size = strlen(root);
  while (size > 1 && root[size - 1] == '/') size--;
  size_t base = size;
  while (base > 0 && root[base - 1] != '/') base--;
  where_ = {static_cast<int>(base), 0};
  if (!path_.add(Bytes(root, size))) return false;
  if (!(flags_ & FTW_CHDIR)) return true;
  int fd = opened(sys::openat(AT_FDCWD, ".", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (fd < 0) return false;
  origin_ = fd;
  if (most_open_ > 1) most_open_--;
  return true;
}

void TreeWalk::finish() {
  int saved = errno;
  while (top_) pop();
  forget();
  path_.give();
  if (origin_ != AT_FDCWD) {
    go_to(origin_);
    sys::close(origin_);
  }
  errno = saved;
}

}  // namespace wbshim
