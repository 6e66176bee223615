// syscall() by number: every number that the library knows. Those that end descriptors or name programs and sockets
// stand with their kind.
#include <linux/openat2.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>
#include <utime.h>

#include "call.h"

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

namespace calls {
namespace {

template <typename... Rest>
std::string number(long call, Rest... rest) {
  return status(libc<long(long, ...)>("syscall")(call, rest...));
}
template <typename... Rest>
std::string opened_by(long call, Rest... rest) {
  return opened(static_cast<int>(libc<long(long, ...)>("syscall")(call, rest...)));
}

std::string in_root(const char* name) {
  return places.root + "/" + name;
}

void opens(Table* t) {
  for (const int flags : {O_RDONLY, O_CREAT | O_RDWR, O_TRUNC | O_WRONLY, O_DIRECTORY}) {
    const std::string variant = "+" + std::to_string(flags);
#ifdef SYS_open
    t->path("syscall:open" + variant, [=](const Argument& a) {
      return opened_by(SYS_open, a.path, flags | O_NONBLOCK, 0640);
    });
#endif
    t->at("syscall:openat" + variant, [=](const Argument& a) {
      return opened_by(SYS_openat, a.dirfd, a.path, flags | O_NONBLOCK, 0640);
    });
    for (const int resolve :
         {0, RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS, RESOLVE_NO_MAGICLINKS, RESOLVE_IN_ROOT})
      t->at("syscall:openat2" + variant + "+" + std::to_string(resolve), [=](const Argument& a) {
        struct open_how how {};
        how.flags = static_cast<unsigned>(flags | O_NONBLOCK);
        how.mode = flags & O_CREAT ? 0640 : 0;
        how.resolve = static_cast<unsigned>(resolve);
        return opened_by(SYS_openat2, a.dirfd, a.path, &how, sizeof how);
      });
  }
#ifdef SYS_creat
  t->path("syscall:creat", [](const Argument& a) { return opened_by(SYS_creat, a.path, 0600); });
#endif
}

std::string seen(long call, const char* path) {
  struct stat st {};
  const std::string said = number(call, path, &st);
  return said == "0" ? describe(st) : said;
}

void looks(Table* t) {
#ifdef SYS_stat
  t->path("syscall:stat", [](const Argument& a) { return seen(SYS_stat, a.path); });
  t->path("syscall:lstat", [](const Argument& a) { return seen(SYS_lstat, a.path); });
  t->path("syscall:access", [](const Argument& a) { return number(SYS_access, a.path, R_OK); });
  t->path("syscall:readlink", [](const Argument& a) {
    char to[5000] = "";
    const std::string said = number(SYS_readlink, a.path, to, sizeof to);
    return said + " " + escaped(to);
  });
#endif
  t->at("syscall:readlinkat", [](const Argument& a) {
    char to[5000] = "";
    const std::string said = number(SYS_readlinkat, a.dirfd, a.path, to, sizeof to);
    return said + " " + escaped(to);
  });
  for (const int flags : {0, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH}) {
    const std::string variant = "+" + std::to_string(flags);
    t->at("syscall:newfstatat" + variant, [=](const Argument& a) {
      struct stat st {};
      const std::string said = number(SYS_newfstatat, a.dirfd, a.path, &st, flags);
      return said == "0" ? describe(st) : said;
    });
    t->at("syscall:statx" + variant, [=](const Argument& a) {
      struct statx st {};
      const std::string said = number(SYS_statx, a.dirfd, a.path, flags, STATX_BASIC_STATS, &st);
      return said + (S_ISDIR(st.stx_mode)
                         ? ""
                         : " " + std::to_string(st.stx_mode) + " " + std::to_string(st.stx_size));
    });
    t->at("syscall:faccessat2" + variant,
          [=](const Argument& a) { return number(SYS_faccessat2, a.dirfd, a.path, X_OK, flags); });
    t->at("syscall:name_to_handle_at" + variant, [=](const Argument& a) {
      unsigned handle[2] = {0, 0};
      int mount = 0;
      const std::string said =
          number(SYS_name_to_handle_at, a.dirfd, a.path, handle, &mount, flags);
      return said + " " + std::to_string(handle[0]);
    });
  }
  t->at("syscall:faccessat",
        [](const Argument& a) { return number(SYS_faccessat, a.dirfd, a.path, W_OK); });
  t->path("syscall:inotify_add_watch", [](const Argument& a) {
    const int fd = inotify_init();
    return number(SYS_inotify_add_watch, fd, a.path, IN_OPEN) + " " + status(close(fd));
  });
}

void attributes(Table* t) {
  t->path("syscall:statfs", [](const Argument& a) {
    char room[256];
    return number(SYS_statfs, a.path, room);
  });
  for (const long call : {SYS_getxattr, SYS_lgetxattr}) {
    t->path(call == SYS_getxattr ? "syscall:getxattr" : "syscall:lgetxattr",
            [=](const Argument& a) {
              char value[64];
              return number(call, a.path, "user.k", value, sizeof value);
            });
  }
  for (const long call : {SYS_listxattr, SYS_llistxattr})
    t->path(call == SYS_listxattr ? "syscall:listxattr" : "syscall:llistxattr",
            [=](const Argument& a) {
              char list[64];
              return number(call, a.path, list, sizeof list);
            });
  for (const long call : {SYS_setxattr, SYS_lsetxattr})
    t->path(call == SYS_setxattr ? "syscall:setxattr" : "syscall:lsetxattr",
            [=](const Argument& a) { return number(call, a.path, "user.k", "value", 5, 0); });
  for (const long call : {SYS_removexattr, SYS_lremovexattr})
    t->path(call == SYS_removexattr ? "syscall:removexattr" : "syscall:lremovexattr",
            [=](const Argument& a) { return number(call, a.path, "user.k"); });
}

void changes(Table* t) {
  static const struct timeval kTimes[2] = {{1000, 0}, {5000, 0}};
  static const struct timespec kExact[2] = {{1000, 0}, {6000, 0}};
  static const struct utimbuf kBoth = {1000, 7000};
#ifdef SYS_mkdir
  t->path("syscall:mkdir", [](const Argument& a) { return number(SYS_mkdir, a.path, 0755); });
  t->path("syscall:mknod",
          [](const Argument& a) { return number(SYS_mknod, a.path, S_IFREG | 0600, 0); });
  t->path("syscall:chmod", [](const Argument& a) { return number(SYS_chmod, a.path, 0700); });
  t->path("syscall:chown",
          [](const Argument& a) { return number(SYS_chown, a.path, getuid(), getgid()); });
  t->path("syscall:lchown",
          [](const Argument& a) { return number(SYS_lchown, a.path, getuid(), getgid()); });
  t->path("syscall:utime", [](const Argument& a) { return number(SYS_utime, a.path, &kBoth); });
  t->path("syscall:utimes", [](const Argument& a) { return number(SYS_utimes, a.path, kTimes); });
  t->at("syscall:futimesat",
        [](const Argument& a) { return number(SYS_futimesat, a.dirfd, a.path, kTimes); });
#endif
  t->path("syscall:truncate", [](const Argument& a) { return number(SYS_truncate, a.path, 5L); });
  t->at("syscall:mkdirat",
        [](const Argument& a) { return number(SYS_mkdirat, a.dirfd, a.path, 0755); });
  t->at("syscall:mknodat",
        [](const Argument& a) { return number(SYS_mknodat, a.dirfd, a.path, S_IFREG | 0600, 0); });
  t->at("syscall:fchmodat",
        [](const Argument& a) { return number(SYS_fchmodat, a.dirfd, a.path, 0711); });
  for (const int flags : {0, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH}) {
    const std::string variant = "+" + std::to_string(flags);
    t->at("syscall:fchmodat2" + variant,
          [=](const Argument& a) { return number(SYS_fchmodat2, a.dirfd, a.path, 0711, flags); });
    t->at("syscall:fchownat" + variant, [=](const Argument& a) {
      return number(SYS_fchownat, a.dirfd, a.path, getuid(), getgid(), flags);
    });
    t->at("syscall:utimensat" + variant,
          [=](const Argument& a) { return number(SYS_utimensat, a.dirfd, a.path, kExact, flags); });
  }
  for (const long call : {SYS_fchmod, SYS_fchown})
    t->path(call == SYS_fchmod ? "syscall:fchmod" : "syscall:fchown", [=](const Argument& a) {
      const int fd = open(a.path, O_RDONLY | O_NONBLOCK);
      if (fd < 0) return status(fd);
      const std::string said =
          call == SYS_fchmod ? number(call, fd, 0705) : number(call, fd, getuid(), getgid());
      return said + " " + opened(fd);
    });
}

void names(Table* t) {
#ifdef SYS_unlink
  t->path("syscall:unlink", [](const Argument& a) { return number(SYS_unlink, a.path); });
  t->path("syscall:rmdir", [](const Argument& a) { return number(SYS_rmdir, a.path); });
  t->path("syscall:rename",
          [](const Argument& a) { return number(SYS_rename, a.path, in_root("new").c_str()); });
  t->path("syscall:link",
          [](const Argument& a) { return number(SYS_link, a.path, in_root("new").c_str()); });
  t->path("syscall:symlink",
          [](const Argument& a) { return number(SYS_symlink, in_root("f").c_str(), a.path); });
#endif
#ifdef SYS_renameat
  t->at("syscall:renameat", [](const Argument& a) {
    return number(SYS_renameat, a.dirfd, a.path, AT_FDCWD, in_root("new").c_str());
  });
#endif
  for (const int flags : {0, AT_REMOVEDIR})
    t->at("syscall:unlinkat+" + std::to_string(flags),
          [=](const Argument& a) { return number(SYS_unlinkat, a.dirfd, a.path, flags); });
  t->at("syscall:renameat2", [](const Argument& a) {
    return number(SYS_renameat2, AT_FDCWD, in_root("n").c_str(), a.dirfd, a.path, RENAME_EXCHANGE);
  });
  t->at("syscall:linkat", [](const Argument& a) {
    return number(SYS_linkat, AT_FDCWD, in_root("f").c_str(), a.dirfd, a.path, 0);
  });
  t->at("syscall:symlinkat", [](const Argument& a) {
    return number(SYS_symlinkat, in_root("n").c_str(), a.dirfd, a.path);
  });
}

void directories(Table* t) {
  const auto where = [](const std::string& said) {
    char to[5000];
    return said + " " + text(getcwd(to, sizeof to)) + " " + process_link("cwd");
  };
  t->path("syscall:chdir", [=](const Argument& a) { return where(number(SYS_chdir, a.path)); });
  t->path("syscall:fchdir", [=](const Argument& a) {
    const int fd = open(a.path, O_RDONLY | O_NONBLOCK);
    return fd < 0 ? status(fd) : where(number(SYS_fchdir, fd)) + status(close(fd));
  });
  t->path("syscall:chroot", [](const Argument& a) {
    return in_child([&] { return number(SYS_chroot, a.path) + " " + status(access("/f", F_OK)); });
  });
  for (const size_t size : {size_t{4096}, size_t{9}, size_t{0}})
    t->path("syscall:getcwd+" + std::to_string(size), [=](const Argument& a) {
      if (chdir(a.path) != 0) return status(-1);
      char to[5000] = "";
      const std::string said = number(SYS_getcwd, to, size);
      return said + " " + escaped(to);
    });
}

}  // namespace

void add_system_calls(Table* table) {
  opens(table);
  looks(table);
  attributes(table);
  changes(table);
  names(table);
  directories(table);
}

}  // namespace calls
