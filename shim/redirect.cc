// A symbolic link outside the prefix that leads into it: to the kernel its target is missing. Only
// when it has said so for a path is the path walked, from its end: the first part that is there tells
// whether it is such a link.
#include <errno.h>
#include <linux/openat2.h>

#include "shim/mapped.h"

namespace wbshim {
namespace {

constexpr int kMostLinks = 40;  // as the kernel

// Whether no link at all lies on the way to where the kernel lost the path: one call, and nearly all
// paths end with it.
bool plainly_missing(int dirfd, const char* path) {
  struct open_how how {};
  how.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
  how.resolve = RESOLVE_NO_SYMLINKS;
  long fd = sys::call(SYS_openat2, dirfd, sys::arg(path), sys::arg(&how), sizeof how);
  if (fd >= 0) sys::close(static_cast<int>(fd));
  return fd == -ENOENT;
}

// The end of the path without its last name (and the slashes before it); 0: it has one name only.
size_t parent_of(const char* path, size_t size) {
  while (size > 0 && path[size - 1] != '/') size--;
  while (size > 0 && path[size - 1] == '/') size--;
  return size;
}

// Puts the target of the link at which the kernel lost `path` in its place, with what follows, into
// `to`. False: there is none.
bool replace_link(int dirfd, Scratch* path, size_t size, bool last_followed, Scratch* to) {
  char* at = path->reserve(size + 1);
  size_t whole = size;
  while (size > 1 && at[size - 1] == '/') size--;
  // Behind a slash even a link that is not to be followed is.
  if (!last_followed && size == whole) size = parent_of(at, size);
  while (size > 0) {
    char kept = at[size];
    at[size] = '\0';
    size_t head = size;
    while (head > 0 && at[head - 1] != '/') head--;
    char* text = to->reserve(head + 100);
    long n = -ENAMETOOLONG;
    for (int attempt = 0; text && attempt < 2; attempt++) {
      size_t room = to->room() - head;
      n = sys::call(SYS_readlinkat, dirfd, sys::arg(at), sys::arg(text + head),
                    static_cast<long>(room));
      if (n < static_cast<long>(room)) break;
      n = -ENAMETOOLONG;
      text = to->reserve(8192);
    }
    at[size] = kept;
    if (n == -ENOENT) {
      size = parent_of(at, size);
      continue;
    }
    if (n <= 0) return false;
    auto length = static_cast<size_t>(n);
    if (text[head] == '/')
      memmove(text, text + head, length);
    else
      memcpy(text, at, head), length += head;
    text[length] = '\0';
    if (size == whole) return true;
    if (length + whole - size + 1 > to->room()) {
      // It goes into pages, and the beginning with it.
      char start[Scratch::kInline];
      if (length >= sizeof start) return false;
      memcpy(start, text, length);
      text = to->reserve(8192);
      if (!text || length + whole - size + 1 > to->room()) return false;
      memcpy(text, start, length);
    }
    memcpy(text + length, at + size, whole - size);
    text[length + whole - size] = '\0';
    return true;
  }
  return false;
}

}  // namespace

bool Mapped::redirect(Last last) {
  const char* given = out_;
  if (!settings.on || !given || !given[0]) return false;
  // Out of the prefix, and in again, there is a way only by a link inside.
  bool within = inside_ == Inside::Yes ||
                (inside_ == Inside::Ask && dirfd_ == AT_FDCWD && directory_inside());
  if (within && client::page().links.load(std::memory_order_relaxed) == 0) return false;
  if (strchr(given, '/') && plainly_missing(dirfd_, given)) return false;
  int saved = errno;
  Scratch rooms[2];
  size_t size = strlen(given);
  char* at = size < 4096 ? rooms[0].reserve(size + 1) : nullptr;
  if (!at) return false;
  memcpy(at, given, size + 1);
  Inside before = inside_;
  for (int i = 0; i < kMostLinks; i++) {
    Scratch& to = rooms[(i + 1) % 2];
    if (!replace_link(dirfd_, &rooms[i % 2], size, last == Last::Followed, &to)) break;
    Bytes next = to.text();
    out_ = next.data;
    if (next.data[0] == '/')
      map_absolute(next.data, paths::tangled(next.data));
    else
      map_relative(next.data);
    if (!ok_) {
      // That error is the path's own.
      ok_ = true;
      saved = errno;
      break;
    }
    if (out_ != next.data) {
      errno = saved;
      return true;
    }
    size = next.size;
  }
  out_ = given;
  inside_ = before;
  errno = saved;
  return false;
}

}  // namespace wbshim
