#include "shim/crossing.h"

#include <errno.h>
#include <fcntl.h>

#include "shim/client.h"
#include "shim/mapped.h"
#include "shim/scratch.h"

namespace wbshim::crossing {
namespace {

void drop_last(Text* name) {
  size_t n = name->size();
  while (n > 0 && name->c_str()[n - 1] != '/') n--;
  name->truncate(n > 0 ? n - 1 : 0);
}

// The prefix itself and what lies above it are directories for every program, whatever the disk
// says.
bool above_or_at(Bytes prefix, Bytes name) {
  return paths::below(name, prefix).data != nullptr;
}

// A directory is about to be left by "..": checks that it is one, and puts its own name in place of
// a symbolic link's.
int leave(Text* name, bool* entered) {
  paths::Roots roots = client::roots();
  if (above_or_at(roots.prefix, name->bytes())) return 0;
  Scratch room;
  char* at = room.reserve(name->size() + roots.tree.size + 1);
  if (!at) return ENAMETOOLONG;
  Text physical(at, room.room());
  bool outside = !paths::to_tree(roots, name->bytes(), &physical);
  if (outside) {
    physical.clear();
    physical.add(name->bytes());
  }
  int fd = sys::openat(AT_FDCWD, at, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return -fd;
  char* real = room.reserve(8192);
  Text found(real, real ? room.room() : 0);
  bool known = real && descriptor_path(fd, &found);
  sys::close(fd);
  if (!known) return ENOENT;
  name->clear();
  if (!paths::to_virtual(roots, found.bytes(), name)) {
    name->clear();
    name->add(found.bytes());
  } else if (outside) {
    *entered = true;
  }
  return name->ok() ? 0 : ENAMETOOLONG;
}

// What the last component leaves to be said, when it was no name.
int add_ending(bool dots, bool slash, Text* to) {
  if (to->size() == 0) to->add('/');
  if (dots)
    to->add(to->c_str()[to->size() - 1] == '/' ? "." : "/.");
  else if (slash && to->c_str()[to->size() - 1] != '/')
    to->add('/');
  return to->ok() ? 0 : ENAMETOOLONG;
}

}  // namespace

bool touches(Bytes base, const char* path) {
  Scratch room;
  char* at = room.reserve(base.size + strlen(path) + 2);
  if (!at) return false;
  Text name(at, room.room());
  if (!(base == Bytes("/"))) name.add(base);
  Bytes rest(path), word;
  while (paths::component(&rest, &word)) {
    if (paths::is_dot(word)) continue;
    if (paths::is_dots(word))
      drop_last(&name);
    else
      name.add('/').add(word);
    if (paths::below(client::roots().prefix, name.bytes()).data) return true;
  }
  return false;
}

bool by_descriptor(Bytes base, const char* path) {
  if (base == Bytes("/")) return strncmp(path, "proc/", 5) == 0 || strncmp(path, "dev/fd/", 7) == 0;
  Bytes start = base.size > 0 ? base : Bytes(path);
  return start == Bytes("/proc") || start.starts_with("/proc/") ||
         ((start == Bytes("/dev") || start.starts_with("/dev/")) && strstr(path, "fd/"));
}

bool may_be_descriptor(const char* path) {
  return (path[0] >= '0' && path[0] <= '9') || strstr(path, "cwd/") || strstr(path, "fd/");
}

int follow(Bytes base, const char* path, Text* to, bool* entered) {
  to->clear();
  if (!(base == Bytes("/"))) to->add(base);
  Bytes rest(path), word;
  bool dots = false;
  while (paths::component(&rest, &word)) {
    dots = paths::is_dot(word) || paths::is_dots(word);
    if (paths::is_dot(word)) continue;
    if (!dots) {
      to->add('/').add(word);
      continue;
    }
    if (int error = leave(to, entered)) return error;
    bool last = rest.size == 0;
    if (last && to->size() > 0 && !above_or_at(client::roots().prefix, to->bytes())) {
      // The kernel tells ".." from "." in its errors.
      return to->add("/..").ok() ? 0 : ENAMETOOLONG;
    }
    drop_last(to);
  }
  return add_ending(dots, path[strlen(path) - 1] == '/', to);
}

}  // namespace wbshim::crossing
