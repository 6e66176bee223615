#include <limits.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include "core/base/fault.h"
#include "shim/calls.h"

namespace wbshim {

void changed(const Mapped& m, Act act) {
  WBSHIM_FAULT(Changed);
  int saved = errno;
  Scratch room;
  Bytes rel;
  if (m.locate(&room, &rel))
    publish({act, rel});
  else if (!m.is_root())
    client::lost(m.path());
  errno = saved;
}

void changed_through_link(const Mapped& m, int dirfd) {
  struct stat st {};
  if (client::page().links.load(std::memory_order_relaxed) == 0) return;
  if (sys::fstatat(dirfd, m.path(), &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISLNK(st.st_mode)) return;
  int fd = sys::openat(dirfd, m.path(), O_PATH | O_CLOEXEC);
  if (fd < 0) return;
  int saved = errno;
  Scratch room;
  char* at = room.reserve(8192);
  Text name(at, at ? room.room() : 0);
  if (at && descriptor_path(fd, &name)) {
    Bytes below = paths::below(client::roots().tree, name.bytes());
    if (below.data && below.size > 1)
      publish({Act::Changed, Bytes(below.data + 1, below.size - 1)});
  }
  sys::close(fd);
  errno = saved;
}

namespace {

// Renaming or linking across the border of the prefix: directories and links cannot go (nobody
// would know their contents, a link's text would mean another place); programs then copy, as
// between two file systems.
bool crosses_border(const Mapped& from, int from_dir, const Mapped& to) {
  if (from.inside() == to.inside()) return false;
  struct stat st {};
  return sys::fstatat(from_dir, from.path(), &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(st.st_mode);
}

// The directory itself, to be walked after it has another name. Negative: -errno, -ENOTDIR for all that is none.
int open_directory_of(int dirfd, const char* path) {
  int fd = sys::openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd != -EMFILE && fd != -ENFILE) return fd;
  struct stat st {};  // where no descriptor is left, the kernel does not say what it is
  return sys::fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(st.st_mode) ? -ENOTDIR
                                                                                          : fd;
}

void close_open(int fd) {
  if (fd >= 0) sys::close(fd);
}

void publish_rename(bool had_from, Bytes from, bool has_to, Bytes to, int dir) {
  bool directory = dir != -ENOTDIR && dir != -ELOOP && dir != -ENOENT;
  if (had_from && has_to && directory) return publish_moved_tree(dir, from, to);
  close_open(dir);
  Change both[2];
  size_t n = 0;
  if (had_from) both[n++] = {Act::Moved, from};
  if (has_to) both[n++] = {Act::Changed, to};
  publish(both, n);
}

// Between two file systems the kernel finds both places before it refuses: EXDEV, or what it would
// have said before. taken, vacant: what it means that the new name exists, or does not.
int border_error(int from_dir, const char* from, int to_dir, const char* to, int taken,
                 int vacant) {
  struct stat st {};
  if (int error = sys::fstatat(from_dir, from, &st, AT_SYMLINK_NOFOLLOW)) return -error;
  int error = sys::fstatat(to_dir, to, &st, AT_SYMLINK_NOFOLLOW);
  if (error == 0) return taken;
  if (error != -ENOENT || !to[0]) return -error;
  // The name is free. Is its directory there?
  size_t n = strlen(to);
  while (n > 0 && to[n - 1] == '/') n--;
  while (n > 0 && to[n - 1] != '/') n--;
  if (n == 0) return vacant;
  Scratch room;
  char* parent = room.reserve(n + 1);
  if (!parent) return ENAMETOOLONG;
  memcpy(parent, to, n);
  parent[n] = '\0';
  error = sys::fstatat(to_dir, parent, &st, 0);
  return error != 0 ? -error : vacant;
}

int rename_error(int from_dir, const Mapped& from, int to_dir, const Mapped& to, unsigned flags) {
  constexpr unsigned kAll = RENAME_EXCHANGE | RENAME_NOREPLACE | RENAME_WHITEOUT;
  bool exchange = (flags & RENAME_EXCHANGE) != 0;
  if ((flags & ~kAll) != 0 || (exchange && flags != RENAME_EXCHANGE)) return EINVAL;
  return border_error(from_dir, from.path(), to_dir, to.path(),
                      flags & RENAME_NOREPLACE ? EEXIST : EXDEV, exchange ? ENOENT : EXDEV);
}

}  // namespace

namespace {

// Both paths of a call that says that one is missing: whether either passes a link into the prefix.
bool redirect(Mapped* a, Mapped* b) {
  if (errno != ENOENT) return false;
  bool one = a->redirect(Mapped::Last::Kept), other = b->redirect(Mapped::Last::Kept);
  return one || other;
}

int rename_mapped(const Mapped& a, int from_dir, const Mapped& b, int to_dir, unsigned flags,
                  bool with_flags) {
  const char* to = b.path();
  auto real = [&] {
    return with_flags ? NEXT(renameat2)(from_dir, a.path(), to_dir, b.path(), flags)
                      : NEXT(renameat)(from_dir, a.path(), to_dir, b.path());
  };
  if (!a.given() || !b.given() || (!a.inside() && !b.inside())) return real();
  if (crosses_border(a, from_dir, b) || ((flags & RENAME_EXCHANGE) && a.inside() != b.inside())) {
    errno = rename_error(from_dir, a, to_dir, b, flags);
    return -1;
  }
  Scratch from_room, to_room;
  Bytes from_rel, to_rel;
  int saved = errno;
  // Before the names change: "d/../x" leads nowhere once d has another name.
  bool had_from = a.locate(&from_room, &from_rel), has_to = b.locate(&to_room, &to_rel);
  bool exchange = (flags & RENAME_EXCHANGE) != 0;
  int from_open = a.inside() ? open_directory_of(from_dir, a.path()) : -ENOTDIR;
  int to_open = exchange ? open_directory_of(to_dir, b.path()) : -ENOTDIR;
  errno = saved;
  // A symbolic link leads out of the prefix, or in; unless the kernel has another objection.
  bool crosses = from_open >= 0 && had_from != has_to && !a.is_root() && !b.is_root() &&
                 rename_error(from_dir, a, to_dir, b, flags) == EXDEV;
  int result = crosses ? -1 : with_room(b, real);
  if (crosses) errno = EXDEV;
  if (result != 0) {
    close_open(from_open);
    close_open(to_open);
    return result;
  }
  WBSHIM_FAULT(Renamed);
  client::page().moves.fetch_add(1, std::memory_order_relaxed);
  if ((a.inside() && !had_from) || (b.inside() && !has_to)) client::lost(to);
  if (had_from && has_to && from_rel == to_rel) {
    close_open(from_open);
    close_open(to_open);
  } else if (exchange && had_from && has_to) {
    publish_exchanged(from_open, from_rel, to_open, to_rel);
  } else {
    close_open(to_open);
    publish_rename(had_from, from_rel, has_to, to_rel, from_open);
  }
  errno = saved;
  return result;
}

}  // namespace

int rename_file(int from_dir, const char* from, int to_dir, const char* to, unsigned flags,
                bool with_flags) {
  Mapped a(from_dir, from), b(to_dir, to);
  if (!a.ok() || !b.ok() || a.refuses() || b.refuses()) return -1;
  int result = rename_mapped(a, from_dir, b, to_dir, flags, with_flags);
  if (result != 0 && redirect(&a, &b))
    result = rename_mapped(a, from_dir, b, to_dir, flags, with_flags);
  return result;
}

namespace {

constexpr char kByDescriptor[] = "/proc/self/fd/";

bool by_descriptor(const char* path) {
  return strncmp(path, kByDescriptor, sizeof kByDescriptor - 1) == 0;
}

// The descriptor that a link's source is; -1: it is none, or past the table, which remembers no path.
int descriptor_of(int from_dir, const char* from) {
  if (!from[0]) return from_dir;  // AT_EMPTY_PATH
  if (!by_descriptor(from)) return -1;
  const char* digit = from + sizeof kByDescriptor - 1;
  int fd = 0;
  for (; *digit >= '0' && *digit <= '9' && fd < descriptors::kMost; digit++)
    fd = fd * 10 + (*digit - '0');
  return *digit ? -1 : fd;
}

// What is written behind it through that descriptor wants the name at its close: the kernel goes on
// calling the file by the one that it was made without.
void tell_descriptor(int fd, Bytes rel, uint64_t moves) {
  struct stat st {};
  if (fd >= 0 && sys::fstat(fd, &st) == 0 && st.st_nlink == 1) descriptors::named(fd, rel, moves);
}

int link_mapped(const Mapped& a, int from_dir, const Mapped& b, int to_dir, int flags) {
  const char* from = a.path();
  bool empty = a.given() && !from[0];
  if (a.given() && b.given() && !empty && a.inside() != b.inside()) {
    // A descriptor's own name in /proc may stand for a file of the tree (O_TMPFILE); anything else
    // would share bytes across.
    if (!by_descriptor(from)) {
      errno = border_error(from_dir, a.path(), to_dir, b.path(), EEXIST, EXDEV);
      return -1;
    }
  }
  uint64_t moves = client::page().moves.load(std::memory_order_relaxed);
  int result =
      with_room(b, [&] { return NEXT(linkat)(from_dir, a.path(), to_dir, b.path(), flags); });
  if (result == 0 && b.given() && b.inside()) {
    WBSHIM_FAULT(Linked);
    int saved = errno;
    Scratch from_room, to_room;
    Change both[2];
    size_t n = 0;
    if (a.given() && !empty && a.locate(&from_room, &both[n].rel)) n++;
    if (b.locate(&to_room, &both[n].rel)) {
      if (a.given()) tell_descriptor(descriptor_of(from_dir, from), both[n].rel, moves);
      n++;
    }
    publish(both, n);
    errno = saved;
  }
  return result;
}

}  // namespace

int link_file(int from_dir, const char* from, int to_dir, const char* to, int flags) {
  Mapped a(from_dir, from), b(to_dir, to);
  if (!a.ok() || !b.ok() || a.refuses() || b.refuses()) return -1;
  int result = link_mapped(a, from_dir, b, to_dir, flags);
  if (result != 0 && redirect(&a, &b)) result = link_mapped(a, from_dir, b, to_dir, flags);
  return result;
}

int link_symbolically(const char* target, int dirfd, const char* path) {
  Mapped where(dirfd, path);
  if (!where.ok() || where.refuses()) return -1;
  if (!settings.on || !target || !path || !where.inside() || !pointers::path(target)) {
    int result = NEXT(symlinkat)(target, dirfd, where.path());
    if (result == 0 || errno != ENOENT || !target || !pointers::path(target) ||
        !where.redirect(Mapped::Last::Kept))
      return result;
  }
  Scratch room;
  const char* text = target;
  link_text::Roots roots = client::link_roots();
  bool climbs = link_text::climbs(target);
  if (strlen(target) < PATH_MAX && (climbs || !link_text::is_plain(roots, target))) {
    int saved = errno;
    Scratch where_room;
    Bytes rel;
    // Without a place there will be no link either.
    bool placed = climbs && where.locate(&where_room, &rel);
    errno = saved;
    int depth = placed ? paths::depth(rel) - 1 : 4096;
    char* at = room.reserve(strlen(target) + 2 * settings.tree_size + 64);
    Text to(at, at ? room.room() : 0);
    // One that is too long for the tree's name is kept as it is: the kernel misses what is behind
    // it, and redirect() finds that.
    if (at && link_text::keep(roots, depth, target, &to) && to.size() < PATH_MAX) text = at;
  }
  // Before the link is there: from now on every process resolves parents.
  client::page().links.fetch_add(1, std::memory_order_relaxed);
  int result = with_room(where, [&] { return NEXT(symlinkat)(text, dirfd, where.path()); });
  if (result == 0) changed(where);
  return result;
}

namespace {

// Whether a link whose text lies in the tree is to be shown with the prefix' name: one that the
// library keeps so, or one that the kernel makes up in /proc. Any other was made outside, by who knew
// the tree, and is shown as it is.
bool shows_prefix(int dirfd, const Mapped& m) {
  if (m.path()[0] && m.inside()) return true;
  int fd = m.path()[0] ? sys::openat(dirfd, m.path(), O_PATH | O_NOFOLLOW | O_CLOEXEC) : dirfd;
  struct statfs fs {};
  bool shows =
      fd >= 0 && sys::call(SYS_fstatfs, fd, sys::arg(&fs)) == 0 && fs.f_type == PROC_SUPER_MAGIC;
  Scratch room;
  char* at = shows || fd < 0 ? nullptr : room.reserve(8192);
  Text name(at, at ? room.room() : 0);
  // The link itself, opened.
  if (at && !m.path()[0])
    shows = descriptor_path(fd, &name) && paths::below(client::roots().tree, name.bytes()).data;
  if (fd >= 0 && m.path()[0]) sys::close(fd);
  return shows;
}

}  // namespace

ssize_t read_link(int dirfd, const char* path, char* to, size_t size) {
  Mapped m(dirfd, path);
  if (!m.ok()) return -1;
  auto plain = [&] { return NEXT(readlinkat)(dirfd, m.path(), to, size); };
  // A size that is no positive int to the kernel is its to refuse; it takes it as an int.
  size = static_cast<unsigned>(size);
  if (!m.given() || static_cast<int>(size) <= 0) return plain();
  // Whole, and not in the caller's room: to see whose name it is.
  Scratch room;
  char* at = room.reserve(1);
  long n = NEXT(readlinkat)(dirfd, m.path(), at, room.room());
  if (n < 0 && errno == ENOENT && m.redirect(Mapped::Last::Kept))
    n = NEXT(readlinkat)(dirfd, m.path(), at, room.room());
  if (n == static_cast<long>(room.room())) {
    at = room.reserve(8192);
    if (!at) return plain();
    n = NEXT(readlinkat)(dirfd, m.path(), at, room.room());
  }
  if (n <= 0) return n;
  Bytes text(at, static_cast<size_t>(n));
  Scratch result_room;
  int saved = errno;
  if (!link_text::is_plain(client::link_roots(), text) && shows_prefix(dirfd, m)) {
    char* r = result_room.reserve(settings.prefix_size + text.size + 1);
    Text result(r, r ? result_room.room() : 0);
    if (!r || !link_text::show(client::link_roots(), text, &result)) return plain();
    text = Bytes(r, result.size());
  }
  errno = saved;
  size_t length = text.size < size ? text.size : size;
  if (!pointers::writable(to, length)) {
    errno = EFAULT;
    return -1;
  }
  memcpy(to, text.data, length);
  return static_cast<ssize_t>(length);
}

void fix_link_size(int dirfd, const char* mapped, off_t* size) {
  Scratch room;
  char* at = room.reserve(static_cast<size_t>(*size) + 1);
  if (!at) return;
  long n = sys::call(SYS_readlinkat, dirfd, sys::arg(mapped), sys::arg(at),
                     static_cast<long>(room.room()));
  if (n <= 0) return;
  Bytes text(at, static_cast<size_t>(n));
  if (link_text::is_plain(client::link_roots(), text)) return;
  Scratch shown_room;
  char* to = shown_room.reserve(settings.prefix_size + text.size + 1);
  Text shown(to, to ? shown_room.room() : 0);
  if (to && link_text::show(client::link_roots(), text, &shown))
    *size = static_cast<off_t>(shown.size());
}

}  // namespace wbshim
