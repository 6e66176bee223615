#include <limits.h>

#include "shim/calls.h"
#include "shim/libc_heap.h"

namespace wbshim {

int change_directory(const char* path) {
  Mapped m(path);
  if (!m.ok()) return -1;
  int result = reach(&m, [](const char* p) { return NEXT(chdir)(p); });
  // A relative path may lead anywhere (links); an absolute one outside the prefix may still be a
  // link into it.
  if (result == 0 && settings.on) note_directory(path && path[0] == '/' && m.inside());
  return result;
}

int change_directory_fd(int fd) {
  int result = NEXT(fchdir)(fd);
  if (result == 0 && settings.on) note_directory(false);
  return result;
}

namespace {

// The virtual name of the working directory, where it lies in the tree and its whole name did not fit
// the caller's room. `heap`: the caller's to give back.
bool inside_name(Scratch* room, char** heap, Bytes* name) {
  char* at = room->reserve(8192);
  if (!at) return false;
  Text text(at, room->room());
  if (!working_directory(&text)) {
    // Longer than the kernel can say: libc goes up by "..".
    *heap = NEXT(getcwd)(nullptr, 0);
    if (!*heap) return false;
    *name = Bytes(*heap);
  } else {
    *name = text.bytes();
  }
  return paths::below(client::roots().tree, *name).data;
}

char* copied(Bytes name, size_t room) {
  char* to = static_cast<char*>(libc_heap::take(room > name.size + 1 ? room : name.size + 1));
  if (to) memcpy(to, name.data, name.size + 1);
  return to;
}

// Writes the virtual name of `physical`, which lies in the tree, to a room of `size` bytes. Both may
// be the same memory; what is left of a longer text in it is erased. False: it does not fit.
bool turn_back(Bytes physical, char* to, size_t size) {
  paths::Roots roots = client::roots();
  Bytes rest = paths::below(roots.tree, physical);
  size_t n = roots.prefix.size + rest.size;
  if (n + 1 > size) return false;
  bool same = to == physical.data;
  memmove(to + roots.prefix.size, rest.data, rest.size);
  memcpy(to, roots.prefix.data, roots.prefix.size);
  memset(to + n, 0, same && physical.size > n ? physical.size - n : 1);
  return true;
}

// The same in memory of libc's heap; size 0: as much as it takes. Null: see errno.
char* turned_back(Bytes physical, size_t size) {
  size_t needed = settings.prefix_size + physical.size - settings.tree_size + 1;
  if (size != 0 && size < needed) {
    errno = ERANGE;
    return nullptr;
  }
  char* to = static_cast<char*>(libc_heap::take(size > needed ? size : needed));
  if (to) turn_back(physical, to, size > needed ? size : needed);
  return to;
}

}  // namespace

char* current_directory(char* to, size_t size) {
  char* result = NEXT(getcwd)(to, size);
  if (!settings.on) return result;
  int saved = errno;
  Scratch room;
  char* heap = nullptr;
  Bytes name;
  if (result) {
    // The usual case, outside: one comparison.
    if (!paths::below(client::roots().tree, result).data) return result;
    name = Bytes(result);
    if (!to) heap = result;
  } else if (errno != ERANGE || !inside_name(&room, &heap, &name)) {
    // For want of room the virtual name, perhaps the shorter one, had to be looked at.
    if (heap) libc_heap::give(heap);
    errno = saved;
    return nullptr;
  }
  char* shown = to;
  size_t needed = settings.prefix_size + name.size - settings.tree_size + 1;
  errno = saved;
  if (!to) {
    shown = turned_back(name, size);
  } else if (needed <= size && !pointers::writable(to, needed)) {
    errno = EFAULT;
    shown = nullptr;
  } else if (!turn_back(name, to, size)) {
    errno = ERANGE;
    shown = nullptr;
  }
  if (heap) libc_heap::give(heap);
  return shown;
}

char* current_directory_allocated() {
  char* result = NEXT(get_current_dir_name)();
  if (!result || !settings.on || !paths::below(client::roots().tree, result).data) return result;
  libc_heap::give(result);
  return current_directory(nullptr, 0);
}

char* canonical_path(const char* path, char* to) {
  Mapped m(path);
  if (!m.ok()) return nullptr;
  char* result = reach(&m, [=](const char* p) { return NEXT(realpath)(p, to); });
  if (!settings.on) return result;
  if (!result) {
    // How far it came is told all the same.
    if (path && to && (errno == ENOENT || errno == EACCES) &&
        paths::below(client::roots().tree, to).data)
      turn_back(to, to, PATH_MAX);
    return result;
  }
  Bytes rest = paths::below(client::roots().tree, result);
  if (!rest.data) return result;
  Scratch room;
  char* at = room.reserve(settings.prefix_size + rest.size + 1);
  Text name(at, at ? room.room() : 0);
  if (!at || !paths::to_virtual(client::roots(), result, &name) ||
      (to && name.size() >= PATH_MAX)) {
    if (!to) libc_heap::give(result);
    errno = ENAMETOOLONG;
    return nullptr;
  }
  if (to) return static_cast<char*>(memcpy(to, at, name.size() + 1));
  libc_heap::give(result);
  return copied(name.bytes(), 0);
}

}  // namespace wbshim
