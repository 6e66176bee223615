// syscall(): programs that go round libc's own functions (python, node, rust). Numbers that name
// paths or end descriptors take the same way as the functions; every other number is handed on as
// it is.
#include <linux/openat2.h>
#include <sys/syscall.h>

#include "shim/calls.h"
#include "shim/sockets.h"

namespace wbshim {
namespace {

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

// One call: its arguments by kind, and the next libc's syscall() with one of them exchanged.
class Raw {
 public:
  Raw(long number, const long* a) : number_(number), a_(a) {}

  int integer(int i) const { return static_cast<int>(a_[i]); }
  unsigned natural(int i) const { return static_cast<unsigned>(a_[i]); }
  long number(int i) const { return a_[i]; }
  size_t size(int i) const { return static_cast<size_t>(a_[i]); }
  const char* text(int i) const { return pointer<const char>(i); }
  template <typename T>
  T* pointer(int i) const {
    return reinterpret_cast<T*>(a_[i]);
  }

  long next() const { return NEXT(syscall)(number_, a_[0], a_[1], a_[2], a_[3], a_[4], a_[5]); }
  // With `path` as argument i.
  long next(int i, const char* path) const {
    long b[6];
    for (int k = 0; k < 6; k++) b[k] = k == i ? reinterpret_cast<long>(path) : a_[k];
    return NEXT(syscall)(number_, b[0], b[1], b[2], b[3], b[4], b[5]);
  }

  // Writes to the descriptor that is argument i.
  long write(int i, size_t size) const { return write_by_number(integer(i), size, number_, a_); }

  // The path is argument 0, or argument 1 behind a directory.
  long look() const {
    return on_path(text(0), [this](const char* p) { return next(0, p); });
  }
  long look_at() const {
    return on_path_at(integer(0), text(1), [this](const char* p) { return next(1, p); });
  }
  long change() const {
    return on_change(text(0), [this](const char* p) { return next(0, p); });
  }
  long change_at() const {
    return on_change_at(integer(0), text(1), [this](const char* p) { return next(1, p); });
  }
  long change_at_or_fd() const {
    return on_change_or_fd(integer(0), text(1),
                           [this](const char* p) { return static_cast<int>(next(1, p)); });
  }
  long remove(int dirfd, int i) const {
    return on_removal_at(dirfd, text(i),
                         [=, this](const char* p) { return static_cast<int>(next(i, p)); });
  }

 private:
  long number_;
  const long* a_;
};

// Paths that stay below, or begin at, the directory are no paths of this process' root.
long open_as(const Raw& c) {
  const auto* how = c.pointer<const struct open_how>(2);
  if (c.size(3) < sizeof *how || !pointers::readable(how, sizeof *how)) return c.next();
  if (how->resolve & (RESOLVE_IN_ROOT | RESOLVE_BENEATH)) {
    long fd = c.next();
    bool writes = fd >= 0 && opens_for_change(static_cast<int>(how->flags));
    if (writes && (c.integer(0) == AT_FDCWD ? directory_inside() : descriptor_inside(c.integer(0))))
      descriptors::opened(static_cast<int>(fd), true, {});
    return fd;
  }
  Mapped m(c.integer(0), c.text(1));
  if (!m.ok() || writes_stats(m, static_cast<int>(how->flags))) return -1;
  long fd = reach_with_room(&m, [&](const char* p) { return c.next(1, p); });
  if (fd >= 0 && m.inside()) note_open(m, static_cast<int>(fd), static_cast<int>(how->flags));
  return fd;
}

bool opens(long number, const Raw& c, long* result) {
  switch (number) {
#ifdef SYS_open
    case SYS_open:
      *result = open_file(AT_FDCWD, c.text(0), c.integer(1), c.natural(2),
                          [](int, const char* p, int f, unsigned m) {
                            return static_cast<int>(NEXT(syscall)(SYS_open, p, f, m));
                          });
      return true;
    case SYS_creat:
      *result = open_file(AT_FDCWD, c.text(0), O_CREAT | O_WRONLY | O_TRUNC, c.natural(1),
                          [](int, const char* p, int, unsigned m) {
                            return static_cast<int>(NEXT(syscall)(SYS_creat, p, m));
                          });
      return true;
#endif
    case SYS_openat:
      *result = open_file(c.integer(0), c.text(1), c.integer(2), c.natural(3),
                          [](int d, const char* p, int f, unsigned m) {
                            return static_cast<int>(NEXT(syscall)(SYS_openat, d, p, f, m));
                          });
      return true;
    case SYS_openat2:
      return *result = open_as(c), true;
    default:
      return false;
  }
}

bool looks(long number, const Raw& c, long* result) {
  switch (number) {
#ifdef SYS_stat
    case SYS_stat:
    case SYS_access:
      return *result = c.look(), true;
    case SYS_lstat:
      return *result = on_stat(AT_FDCWD, c.text(0), c.pointer<struct stat>(1),
                               [&](const char* p) { return static_cast<int>(c.next(0, p)); }),
             true;
    case SYS_readlink:
      return *result = read_link(AT_FDCWD, c.text(0), c.pointer<char>(1), c.size(2)), true;
#endif
    case SYS_newfstatat:
      return *result = on_stat(c.integer(0), c.text(1), c.pointer<struct stat>(2),
                               [&](const char* p) { return static_cast<int>(c.next(1, p)); }),
             true;
    case SYS_statx:
      return *result = on_statx(c.integer(0), c.text(1), c.integer(2), c.natural(3),
                                c.pointer<struct statx>(4)),
             true;
    case SYS_readlinkat:
      return *result = read_link(c.integer(0), c.text(1), c.pointer<char>(2), c.size(3)), true;
    case SYS_statfs:
    case SYS_getxattr:
    case SYS_lgetxattr:
    case SYS_listxattr:
    case SYS_llistxattr:
      return *result = c.look(), true;
    case SYS_faccessat:
    case SYS_faccessat2:
    case SYS_name_to_handle_at:
      return *result = c.look_at(), true;
    case SYS_inotify_add_watch:
      return *result = on_path(c.text(1), [&](const char* p) { return c.next(1, p); }), true;
    default:
      return false;
  }
}

bool changes(long number, const Raw& c, long* result) {
  switch (number) {
#ifdef SYS_mkdir
    case SYS_mkdir:
    case SYS_mknod:
    case SYS_chmod:
    case SYS_chown:
    case SYS_lchown:
    case SYS_utime:
    case SYS_utimes:
      return *result = c.change(), true;
    case SYS_futimesat:
      return *result = c.change_at_or_fd(), true;
#endif
    case SYS_truncate:
    case SYS_setxattr:
    case SYS_lsetxattr:
    case SYS_removexattr:
    case SYS_lremovexattr:
      return *result = c.change(), true;
    case SYS_mkdirat:
    case SYS_mknodat:
    case SYS_fchmodat:
      return *result = c.change_at(), true;
    case SYS_fchmodat2:
    case SYS_fchownat:
    case SYS_utimensat:
      return *result = c.change_at_or_fd(), true;
    case SYS_fchmod:
    case SYS_fchown:
      return *result = on_change_fd(c.integer(0), [&] { return static_cast<int>(c.next()); }), true;
    default:
      return false;
  }
}

bool names(long number, const Raw& c, long* result) {
  switch (number) {
#ifdef SYS_unlink
    case SYS_unlink:
    case SYS_rmdir:
      return *result = c.remove(AT_FDCWD, 0), true;
    case SYS_rename:
      return *result = rename_file(AT_FDCWD, c.text(0), AT_FDCWD, c.text(1), 0, false), true;
    case SYS_link:
      return *result = link_file(AT_FDCWD, c.text(0), AT_FDCWD, c.text(1), 0), true;
    case SYS_symlink:
      return *result = link_symbolically(c.text(0), AT_FDCWD, c.text(1)), true;
#endif
#ifdef SYS_renameat
    case SYS_renameat:
      return *result = rename_file(c.integer(0), c.text(1), c.integer(2), c.text(3), 0, false),
             true;
#endif
    case SYS_unlinkat:
      return *result = c.remove(c.integer(0), 1), true;
    case SYS_renameat2:
      return *result =
                 rename_file(c.integer(0), c.text(1), c.integer(2), c.text(3), c.natural(4), true),
             true;
    case SYS_linkat:
      return *result = link_file(c.integer(0), c.text(1), c.integer(2), c.text(3), c.integer(4)),
             true;
    case SYS_symlinkat:
      return *result = link_symbolically(c.text(0), c.integer(1), c.text(2)), true;
    case SYS_chdir:
      return *result = change_directory(c.text(0)), true;
    case SYS_fchdir:
      return *result = change_directory_fd(c.integer(0)), true;
    case SYS_chroot:
      return *result = change_root(c.text(0)), true;
    case SYS_getcwd: {
      if (!c.pointer<char>(0) || c.size(1) == 0) return false;
      const char* name = current_directory(c.pointer<char>(0), c.size(1));
      return *result = name ? static_cast<long>(strlen(name)) + 1 : -1, true;
    }
    default:
      return false;
  }
}

bool writes(long number, const Raw& c, long* result) {
  switch (number) {
    case SYS_write:
    case SYS_pwrite64:
      return *result = c.write(0, c.size(2)), true;
    case SYS_writev:
    case SYS_pwritev:
    case SYS_pwritev2:
    case SYS_ftruncate:
      return *result = c.write(0, room::kName), true;
    case SYS_sendfile:
      return *result = c.write(0, c.size(3)), true;
    case SYS_copy_file_range:
      return *result = c.write(2, c.size(4)), true;
    case SYS_fallocate:
      return *result = c.write(0, c.size(3)), true;
    default:
      return false;
  }
}

bool descriptors_and_processes(long number, const Raw& c, long* result) {
  switch (number) {
    case SYS_close:
      return *result = close_fd(c.integer(0)), true;
    case SYS_fsync:
      return *result = sync_fd(c.integer(0), [](int fd) { return NEXT(fsync)(fd); }), true;
    case SYS_fdatasync:
      return *result = sync_fd(c.integer(0), [](int fd) { return NEXT(fdatasync)(fd); }), true;
    case SYS_sync_file_range:
      return *result = sync_range_fd(c.integer(0), [&](int) { return static_cast<int>(c.next()); }),
             true;
    case SYS_dup:
      return *result = dup_fd(c.integer(0)), true;
#ifdef SYS_dup2
    case SYS_dup2:
      return *result = dup_onto(c.integer(0), c.integer(1), 0, false), true;
#endif
    case SYS_dup3:
      return *result = dup_onto(c.integer(0), c.integer(1), c.integer(2), true), true;
    case SYS_fcntl:
      return *result = control_fd(c.integer(0), c.integer(1), c.number(2), false), true;
    case SYS_close_range:
      return *result = close_fds(c.natural(0), c.natural(1), c.integer(2)), true;
    case SYS_execve:
      return *result = execute(c.text(0), c.pointer<char* const>(1), c.pointer<char* const>(2)),
             true;
    case SYS_execveat:
      return *result = execute_fd(c.integer(0), c.text(1), c.pointer<char* const>(2),
                                  c.pointer<char* const>(3), c.integer(4), true),
             true;
    case SYS_bind:
      return *result = bind_socket(c.integer(0), c.pointer<const struct sockaddr>(1),
                                   static_cast<socklen_t>(c.size(2))),
             true;
    case SYS_connect:
      return *result = on_given_address(c.pointer<const struct sockaddr>(1),
                                        static_cast<socklen_t>(c.size(2)),
                                        [&](const struct sockaddr* a, socklen_t n) {
                                          return NEXT(connect)(c.integer(0), a, n);
                                        }),
             true;
    case SYS_exit_group:
      sweep();
      return false;
    default:
      return false;
  }
}

}  // namespace

long raw_call(long number, const long* a) {
  Raw call(number, a);
  long result;
  if (settings.on &&
      (opens(number, call, &result) || looks(number, call, &result) ||
       changes(number, call, &result) || writes(number, call, &result) ||
       names(number, call, &result) || descriptors_and_processes(number, call, &result)))
    return result;
  return call.next();
}

}  // namespace wbshim
