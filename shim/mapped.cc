#include "shim/mapped.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>

#include "core/base/layout.h"
#include "shim/crossing.h"
#include "shim/descriptors.h"
#include "shim/pointers.h"

namespace wbshim {
namespace {

enum Directory : int { kUnknown, kOutside, kInside };
constinit std::atomic<int> directory = kUnknown;

Bytes tree() {
  return client::roots().tree;
}

// Writes a path: most fit the inline room; the few that do not are written again into pages.
template <typename Write>
bool with_room(Scratch* room, Write write) {
  for (size_t size : {size_t{1}, size_t{8192}}) {
    char* at = room->reserve(size);
    if (!at) return false;
    Text text(at, room->room());
    if (write(&text) && text.ok()) return true;
  }
  return false;
}

// Whether the kernel, too, has the tree at the prefix (a mount).
bool prefix_is_real() {
  static constinit std::atomic<int> known = 0;
  if (known.load(std::memory_order_relaxed) == 0) {
    struct stat prefix {
    }, root{};
    bool real = sys::lstat(settings.prefix, &prefix) == 0 &&
                sys::lstat(settings.tree, &root) == 0 && prefix.st_ino == root.st_ino &&
                prefix.st_dev == root.st_dev;
    known.store(real ? 1 : -1, std::memory_order_relaxed);
  }
  return known.load(std::memory_order_relaxed) == 1;
}

// A name that the kernel gave, where the tree is mounted at the prefix, from there on: under the
// tree's own name, the only one that is compared.
bool under_tree(size_t start, Text* name) {
  Bytes rest =
      paths::below(client::roots().prefix, Bytes(name->c_str() + start, name->size() - start));
  if (!rest.data || !prefix_is_real()) return true;
  Scratch room;
  char* at = room.reserve(rest.size + 1);
  if (!at) return false;
  memcpy(at, rest.data, rest.size);
  Bytes kept(at, rest.size);
  name->truncate(start);
  return name->add(tree()).add(kept).ok();
}

}  // namespace

bool working_directory(Text* to) {
  size_t start = to->size();
  char* at = to->end();
  long n = sys::getcwd(at, to->left());
  if (n <= 1 || at[0] != '/') return false;
  to->advance(static_cast<size_t>(n) - 1);
  return under_tree(start, to);
}

bool descriptor_path(int fd, Text* to) {
  size_t start = to->size();
  char link[40];
  Text text(link);
  text.add("/proc/self/fd/").number(fd);
  char* at = to->end();
  size_t left = to->left();
  long n = sys::readlink(link, at, left);
  if (n <= 0 || static_cast<size_t>(n) >= left || at[0] != '/') return false;
  to->advance(static_cast<size_t>(n));
  return under_tree(start, to);
}

void note_directory(bool known_inside) {
  directory.store(known_inside && !client::borrowed_memory() ? kInside : kUnknown,
                  std::memory_order_relaxed);
}

bool directory_inside() {
  int known = directory.load(std::memory_order_relaxed);
  if (known != kUnknown) return known == kInside;
  Scratch room;
  bool inside = with_room(&room, [](Text* text) { return working_directory(text); }) &&
                paths::below(tree(), room.text()).data;
  if (inside && !client::activate()) inside = false;
  if (!client::borrowed_memory())
    directory.store(inside ? kInside : kOutside, std::memory_order_relaxed);
  return inside;
}

namespace {

// Whether the program was started with a descriptor of the tree: looked up once, by a process that
// has not touched the prefix itself.
bool inherited_any() {
  static constinit std::atomic<int> known = 0;
  if (known.load(std::memory_order_relaxed) != 0) return known.load(std::memory_order_relaxed) > 0;
  int list = sys::openat(AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  bool any = false;
  alignas(struct dirent64) char entries[512] = {};
  long n;
  while (list >= 0 &&
         (n = sys::call(SYS_getdents64, list, sys::arg(entries), sizeof entries)) > 0) {
    for (long at = 0; at < n && !any;) {
      auto* entry = reinterpret_cast<struct dirent64*>(entries + at);
      at += entry->d_reclen;
      int fd = 0;
      for (const char* c = entry->d_name; *c >= '0' && *c <= '9'; c++) fd = fd * 10 + (*c - '0');
      Scratch room;
      any = entry->d_name[0] != '.' && fd != list &&
            with_room(&room, [fd](Text* to) { return descriptor_path(fd, to); }) &&
            paths::below(tree(), room.text()).data;
    }
  }
  if (list >= 0) sys::close(list);
  any = any && client::activate();
  known.store(any ? 1 : -1, std::memory_order_relaxed);
  return any;
}

}  // namespace

bool descriptor_inside(int fd) {
  if (descriptors::mark(fd) != descriptors::Mark::None) return true;
  // A directory opened without O_DIRECTORY is not marked.
  if (fd < 0 || (!client::active() && !inherited_any())) return false;
  Scratch room;
  return with_room(&room, [fd](Text* to) { return descriptor_path(fd, to); }) &&
         paths::below(tree(), room.text()).data;
}

namespace {

bool ends_as_stats(const char* path, size_t size) {
  constexpr size_t kSize = sizeof layout::kStatsName - 1;
  return size >= kSize && memcmp(path + size - kSize, layout::kStatsName, kSize) == 0 &&
         (size == kSize || path[size - kSize - 1] == '/');
}

}  // namespace

bool plainly_outside(const char* path) {
  if (!settings.on) return true;
  pointers::Shape shape = pointers::shape(path);
  return shape.size != pointers::kNone && path[0] == '/' &&
         !paths::under(Bytes(settings.prefix, settings.prefix_size), path) &&
         (!shape.pairs || !paths::tangled(path));
}

Mapped::Mapped(int dirfd, const char* path) : dirfd_(dirfd), out_(path) {
  if (!settings.on || !path) return;
  pointers::Shape shape = pointers::shape(path);
  size_t size = shape.size;
  given_ = size != pointers::kNone;
  if (!given_) refuse_too_long(path);
  if (!given_) return;
  if (size == 0) {
    if (dirfd >= 0 && descriptors::mark(dirfd) != descriptors::Mark::None) inside_ = Inside::Yes;
    return;
  }
  if (path[0] == '/')
    map_absolute(path, shape.pairs && paths::tangled(path));
  else
    map_relative(path);
  if (inside_ != Inside::No && ends_as_stats(path, size)) find_stats();
}

// However it is spelt, the statistics file has one name.
void Mapped::find_stats() {
  Scratch room;
  Bytes rel;
  int saved = errno;
  bool named = ok_ && !stats_ && locate(&room, &rel) && rel == Bytes(layout::kStatsName);
  errno = saved;
  if (!named) return;
  Scratch name_room;
  char* at = name_room.reserve(settings.prefix_size + rel.size + 2);
  Text name(at, at ? name_room.room() : 0);
  if (at && name.add(client::roots().prefix).add('/').add(rel).ok()) take(name.bytes());
}

// The kernel refuses it unread, but functions that take a path apart in libc must not look for its
// beginning on the disk.
void Mapped::refuse_too_long(const char* path) {
  size_t n = settings.prefix_size;
  if (pointers::readable(path, pointers::kPathMost) && strncmp(path, settings.prefix, n) == 0 &&
      path[n] == '/')
    fail(ENAMETOOLONG);
}

void Mapped::fail(int error) {
  ok_ = false;
  errno = error;
}

// The path at `at` lies in the tree, whose name may be longer than the prefix': where that makes it
// longer than a path can be, it is given to the kernel from a directory on the way.
void Mapped::shorten(char* at, size_t size) {
  constexpr size_t kMost = PATH_MAX - 1;
  if (size <= kMost || size - settings.tree_size + settings.prefix_size > kMost) return;
  size_t cut = kMost;
  while (at[cut] != '/') cut--;
  int saved = errno;
  at[cut] = '\0';
  int fd = sys::openat(AT_FDCWD, at, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return fail(-fd);
  if (held_ >= 0) sys::close(held_);
  held_ = fd;
  char name[40];
  Text link(name);
  link.add("/proc/self/fd/").number(fd).add('/');
  memcpy(at, name, link.size());
  memmove(at + link.size(), at + cut + 1, size - cut);
  errno = saved;
}

// `name` is a virtual name that is not what the caller passed: the kernel gets it, or its place in
// the tree.
void Mapped::take(Bytes name) {
  Bytes rest = paths::below(client::roots().prefix, name);
  bool in = rest.data && client::activate();
  bool stats = in && rest == Bytes("/.stats");
  char* to = room_.reserve(settings.tree_size + name.size + sizeof layout::kStats + 2);
  Text out(to, to ? room_.room() : 0);
  if (stats)
    out.add(Bytes(settings.staging, settings.staging_size)).add('/').add(layout::kStats);
  else if (in)
    out.add(tree()).add(rest);
  else
    out.add(name);
  if (!to || !out.ok()) return fail(ENAMETOOLONG);
  out_ = to;
  stats_ = stats;
  inside_ = in ? Inside::Yes : Inside::No;
  if (in) shorten(to, out.size());
}

// The path leads across the border, by ".." from the virtual directory `base`; or it may, by one of
// the links in /proc: then only a path that was in the prefix is ours.
void Mapped::cross(Bytes base, const char* path, bool perhaps) {
  int saved = errno;
  Scratch room;
  char* at = room.reserve(8192);
  Text name(at, at ? room.room() : 0);
  bool entered = !perhaps;
  int error = at ? crossing::follow(base, path, &name, &entered) : ENAMETOOLONG;
  errno = saved;
  if (!entered) return;
  if (error != 0) return fail(error);
  take(name.bytes());
}

void Mapped::map_absolute(const char* path, bool tangled) {
  paths::Roots roots = client::roots();
  bool under = paths::under(roots.prefix, path);
  if (!under && !tangled) return;
  Bytes rest = under ? Bytes(path + roots.prefix.size) : Bytes();
  // "a/../b" below the prefix is the kernel's to resolve ("a" may be a link, or missing); only what
  // climbs out is ours.
  if (tangled && (!under || paths::highest(rest.data) < 0)) {
    if (crossing::touches({}, path))
      cross({}, path, false);
    else if (crossing::by_descriptor({}, path))
      cross({}, path, true);
    return;
  }
  if (!client::activate()) return;
  if (rest == Bytes("/.stats")) return take(path);
  roots = client::roots();
  char* to = rest.size < 4096 ? room_.reserve(roots.tree.size + rest.size + 1) : nullptr;
  if (!to) return fail(ENAMETOOLONG);
  memcpy(to, roots.tree.data, roots.tree.size);
  memcpy(to + roots.tree.size, rest.data, rest.size + 1);
  out_ = to;
  inside_ = Inside::Yes;
  shorten(to, roots.tree.size + rest.size);
}

void Mapped::map_relative(const char* path) {
  inside_ = Inside::Ask;
  bool climbs = paths::climbs(path);
  if (!climbs && !paths::may_enter(client::roots(), path) && strcmp(path, layout::kStatsName) != 0)
    return;
  bool from_inside = dirfd_ == AT_FDCWD ? directory_inside() : descriptor_inside(dirfd_);
  if (!from_inside && climbs) {
    // It can only enter the prefix if the prefix' last name occurs in it.
    // Or by a link of /proc.
    const char* last = strrchr(settings.prefix, '/') + 1;
    if (!strstr(path, last) && !crossing::may_be_descriptor(path)) return;
  }
  Scratch room;
  if (!with_room(&room, [this](Text* to) { return start(to); })) return;
  Bytes base = room.text();
  Bytes below = paths::below(tree(), base);
  if (!below.data) {
    if (from_inside) return;
    if (crossing::touches(base, path))
      cross(base, path, false);
    else if (climbs && crossing::by_descriptor(base, path))
      cross(base, path, true);
    return;
  }
  bool stats = below.size == 0 && strcmp(path, layout::kStatsName) == 0;
  if (!stats && paths::depth(below) + paths::highest(path) >= 0) return;
  Scratch virtual_room;
  char* v = virtual_room.reserve(settings.prefix_size + below.size + sizeof layout::kStatsName + 2);
  Text name(v, v ? virtual_room.room() : 0);
  if (!v || !name.add(client::roots().prefix).add(below).ok()) return;
  if (stats)
    take(name.add('/').add(path).bytes());
  else
    cross(name.bytes(), path, false);
}

bool Mapped::inside() const {
  if (inside_ != Inside::Ask) return inside_ == Inside::Yes;
  bool inside = dirfd_ == AT_FDCWD ? directory_inside() : descriptor_inside(dirfd_);
  inside_ = inside ? Inside::Yes : Inside::No;
  return inside;
}

// The directory that a relative path starts from.
bool Mapped::start(Text* to) const {
  return dirfd_ == AT_FDCWD ? working_directory(to) : descriptor_path(dirfd_, to);
}

bool Mapped::absolute_name(Text* to) const {
  if (out_[0] == '/') return to->add(out_).ok();
  if (!start(to)) return false;
  const char* rest = out_;
  while (rest[0] == '.' && rest[1] == '/') {
    rest += 2;
    while (*rest == '/') rest++;
  }
  if (*rest) to->add('/').add(rest);
  return to->ok();
}

namespace {

// Resolves the parent of the absolute path in `room` through the kernel; the result replaces it. A
// path that ends in "." or ".." is resolved whole: its last name is not its own.
bool resolve_parent(Scratch* room) {
  Bytes name = room->text();
  size_t i = name.size;
  while (i > 0 && name.data[i - 1] != '/') i--;
  Bytes last(name.data + i, name.size - i);
  if (i == 0 || last.size == 0) return false;
  if (last == Bytes(".") || last == Bytes("..")) {
    i = name.size;
    last = {};
  }
  Scratch parent;
  char* at = parent.reserve(i + 1);
  if (!at) return false;
  Text text(at, parent.room());
  text.add(Bytes(name.data, i));
  int fd = sys::openat(AT_FDCWD, at, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return false;
  bool known = with_room(&parent, [&](Text* to) {
    if (!descriptor_path(fd, to)) return false;
    if (last.size > 0) to->add('/').add(last);
    return to->ok();
  });
  sys::close(fd);
  return known && with_room(room, [&](Text* to) { return to->add(parent.text()).ok(); });
}

// The same for a path that names a directory, its last name included. False: it names none; `room`
// keeps it.
bool resolve_whole(Scratch* room) {
  int fd = sys::openat(AT_FDCWD, room->text().data, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return false;
  Scratch found;
  bool known = with_room(&found, [&](Text* to) { return descriptor_path(fd, to); });
  sys::close(fd);
  return known && with_room(room, [&](Text* to) { return to->add(found.text()).ok(); });
}

bool links_possible() {
  return client::page().links.load(std::memory_order_relaxed) != 0;
}

}  // namespace

bool Mapped::locate(Scratch* room, Bytes* rel) const {
  if (!out_ || !inside() || stats_) return false;
  bool slash = false;
  bool named = with_room(room, [&](Text* to) {
    if (!absolute_name(to)) return false;
    slash = to->size() > 1 && to->c_str()[to->size() - 1] == '/';
    while (to->size() > 1 && to->c_str()[to->size() - 1] == '/') to->truncate(to->size() - 1);
    return true;
  });
  if (!named) return false;
  if (links_possible() || paths::tangled(room->text().data)) {
    // "link/" is what the link leads to, if that is a directory.
    if (!(slash && resolve_whole(room)) && !resolve_parent(room)) return false;
  }
  Bytes below = paths::below(tree(), room->text());
  if (!below.data || below.size < 2) return false;
  *rel = Bytes(below.data + 1, below.size - 1);
  return true;
}

bool Mapped::is_root() const {
  struct stat mine {
  }, root{};
  return out_ && sys::fstatat(dirfd_, out_, &mine, 0) == 0 &&
         sys::fstatat(AT_FDCWD, settings.tree, &root, 0) == 0 && mine.st_ino == root.st_ino &&
         mine.st_dev == root.st_dev;
}

bool Mapped::locate_cheaply(Scratch* room, Bytes* rel) const {
  *rel = {};
  if (links_possible() || dirfd_ != AT_FDCWD) return false;
  return locate(room, rel);
}

}  // namespace wbshim
