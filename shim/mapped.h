// A path argument of a wrapped call, translated for the kernel. Costs nothing but a comparison
// outside the prefix.
#pragma once

#include <errno.h>
#include <fcntl.h>

#include "shim/client.h"
#include "shim/scratch.h"

namespace wbshim {

// Whether the path, as its text says, lies outside the prefix and is the kernel's affair: what nearly
// all calls ask, and no more. False for relative paths, and for all that take a closer look (Mapped).
bool plainly_outside(const char* path);

class Mapped {
 public:
  // `path` may be null or empty; it is handed on then. dirfd: AT_FDCWD, or what a relative path
  // starts from.
  Mapped(int dirfd, const char* path);
  explicit Mapped(const char* path) : Mapped(AT_FDCWD, path) {}
  ~Mapped() {
    if (held_ >= 0) sys::close(held_);
  }
  Mapped(const Mapped&) = delete;
  Mapped& operator=(const Mapped&) = delete;

  // False: the translated path does not fit, or leads through what is no directory; errno says
  // which, and the call must fail.
  bool ok() const { return ok_; }
  const char* path() const { return out_; }
  // Whether there is a path to look at: neither null nor where the kernel would answer EFAULT or
  // ENAMETOOLONG unread. One that is not is handed on as it is.
  bool given() const { return given_; }

  // The kernel says that the path is missing: whether it lost it at a symbolic link outside the prefix
  // that leads into it. Then path() is the place where it leads. errno is that of the path.
  enum class Last : char { Followed, Kept };  // a link that the path ends in
  bool redirect(Last last = Last::Followed);

  // Whether it lies under the prefix. For a relative path this asks where it starts from, once.
  bool inside() const;

  // Its name relative to the tree, parent resolved, no leading or trailing slash: what is recorded
  // of it. The text lives in `room`. False: it is outside, or the prefix itself.
  bool locate(Scratch* room, Bytes* rel) const;

  // As locate(), but only where that takes no system call for the parent; else an empty rel.
  bool locate_cheaply(Scratch* room, Bytes* rel) const;

  // The statistics file: it can be looked at, and nothing else. refuses(): this is it, and errno
  // says so to a call that would change it.
  bool is_stats() const { return stats_; }
  bool refuses() const {
    if (stats_) errno = EROFS;
    return stats_;
  }

  // Whether it is the prefix itself, of which nothing is recorded.
  bool is_root() const;

 private:
  void map_absolute(const char* path, bool tangled);
  void map_relative(const char* path);
  void refuse_too_long(const char* path);
  void find_stats();
  void fail(int error);
  void take(Bytes name);
  void shorten(char* at, size_t size);
  void cross(Bytes base, const char* path, bool perhaps);
  bool start(Text* to) const;
  bool absolute_name(Text* to) const;

  int dirfd_;
  const char* out_;
  int held_ = -1;  // a directory on the way, where the tree's name is longer than a path can be
  bool ok_ = true;
  bool stats_ = false;
  bool given_ = false;
  enum class Inside : char { No, Yes, Ask };
  mutable Inside inside_ = Inside::No;
  mutable Scratch room_;
};

// Where the working directory is, in the kernel's words. `to` gets the path. False: unknown.
bool working_directory(Text* to);
// The kernel's name of an open descriptor. False: none (no /proc, not a file).
bool descriptor_path(int fd, Text* to);

// The working directory may have changed: inside (the call named a path under the prefix), or
// unknown.
void note_directory(bool known_inside);
bool directory_inside();
bool descriptor_inside(int fd);

}  // namespace wbshim
