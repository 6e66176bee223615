// The staging tree, looked at without following a symbolic link anywhere below it.
#pragma once

#include <sys/stat.h>

#include <string>

#include "core/util/fd.h"
#include "core/util/result.h"

namespace wbshim {

// What a look at a path found. Unknown is no evidence of anything: the tree is not to be had, or a
// call failed for another reason.
enum class Sight { Present, Absent, Unknown };

class Tree {
 public:
  // staging: the directory that holds tree/. prefix: the virtual directory that programs see.
  static Result<Tree> open(const std::string& staging, const std::string& prefix);

  // lstat of a path relative to the tree; the empty path is the tree itself.
  Sight look(const std::string& path, struct stat* st) const;

  // Opens below the tree (openat2, beneath, no symbolic links, no blocking, close on exec). -1:
  // errno says why.
  Fd open_beneath(const std::string& path, int flags) const;

  // The target of the symbolic link as programs see it: one that points into the tree points under
  // the prefix.
  Result<std::string> link_target(const std::string& path) const;
  std::string virtual_target(const std::string& target) const;

  // The tree is still the directory that was opened: not removed, not replaced, not unmounted.
  bool intact() const;

  int fd() const { return root_.get(); }
  const std::string& path() const { return path_; }
  dev_t device() const { return device_; }
  ino_t inode() const { return inode_; }

 private:
  Fd root_;
  std::string path_;
  std::string prefix_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace wbshim
