#include "core/volume/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/base/layout.h"
#include "core/base/link_text.h"
#include "core/util/display.h"

namespace wbshim {

Result<Tree> Tree::open(const std::string& staging, const std::string& prefix) {
  Tree tree;
  tree.path_ = staging + "/" + layout::kTree;
  tree.prefix_ = prefix;
  tree.root_.reset(::open(tree.path_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  struct stat st = {};
  if (!tree.root_ || fstat(tree.root_.get(), &st) != 0) {
    return Error{"cannot open the staging tree '" + printable(tree.path_) +
                 "': " + strerror(errno)};
  }
  tree.device_ = st.st_dev;
  tree.inode_ = st.st_ino;
  return Result<Tree>(std::move(tree));
}

Fd Tree::open_beneath(const std::string& path, int flags) const {
  struct open_how how = {};
  how.flags = static_cast<__u64>(flags | O_CLOEXEC | O_NOFOLLOW);
  // openat2 refuses flags that mean nothing to O_PATH.
  if (!(flags & O_PATH)) how.flags |= O_NONBLOCK | O_NOCTTY;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
  const char* name = path.empty() ? "." : path.c_str();
  long fd = -1;
  // EAGAIN: a rename went on meanwhile, and the kernel could not be sure of the way.
  for (int attempt = 0; attempt < 16; attempt++) {
    fd = syscall(SYS_openat2, root_.get(), name, &how, sizeof how);
    if (fd >= 0 || (errno != EAGAIN && errno != EINTR)) break;
  }
  return Fd(static_cast<int>(fd));
}

Sight Tree::look(const std::string& path, struct stat* st) const {
  if (path.find('\0') != std::string::npos) return Sight::Unknown;
  Fd fd = open_beneath(path, O_PATH);
  if (fd) return fstat(fd.get(), st) == 0 ? Sight::Present : Sight::Unknown;
  // A name behind a symbolic link or below a file is no name of the tree.
  bool absent = errno == ENOENT || errno == ENOTDIR || errno == ELOOP;
  return absent && intact() ? Sight::Absent : Sight::Unknown;
}

Result<std::string> Tree::link_target(const std::string& path) const {
  Fd fd = open_beneath(path, O_PATH);
  char room[4096];
  ssize_t n = fd ? readlinkat(fd.get(), "", room, sizeof room) : -1;
  if (n < 0) return Error{std::string("cannot read the link: ") + strerror(errno)};
  return virtual_target(std::string(room, static_cast<size_t>(n)));
}

std::string Tree::virtual_target(const std::string& target) const {
  std::string shown(target.size() + prefix_.size() + 1, '\0');
  Text text(shown.data(), shown.size());
  Bytes kept(target.data(), target.size());
  link_text::Roots roots{Bytes(prefix_.data(), prefix_.size()), Bytes(path_.data(), path_.size())};
  if (!link_text::show(roots, kept, &text)) return target;
  shown.resize(text.size());
  return shown;
}

bool Tree::intact() const {
  struct stat named = {};
  return lstat(path_.c_str(), &named) == 0 && named.st_dev == device_ && named.st_ino == inode_;
}

}  // namespace wbshim
