// What changes attributes and sizes.
#include <sys/time.h>
#include <unistd.h>
#include <utime.h>

#include "call.h"

namespace calls {
namespace {

void modes(Table* table) {
  for (const char* name : {"chmod", "lchmod"})
    table->path(name, [=](const Argument& a) {
      return status(libc<int(const char*, mode_t)>(name)(a.path, 0710));
    });
  for (const int flags : {0, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH})
    table->at("fchmodat:" + std::to_string(flags), [=](const Argument& a) {
      return status(
          libc<int(int, const char*, mode_t, int)>("fchmodat")(a.dirfd, a.path, 0701, flags));
    });
}

void owners(Table* table) {
  const uid_t user = getuid();
  const gid_t group = user == 0 ? 7 : getgid();
  for (const char* name : {"chown", "lchown"})
    table->path(name, [=](const Argument& a) {
      return status(libc<int(const char*, uid_t, gid_t)>(name)(a.path, user, group));
    });
  for (const int flags : {0, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH})
    table->at("fchownat:" + std::to_string(flags), [=](const Argument& a) {
      return status(libc<int(int, const char*, uid_t, gid_t, int)>("fchownat")(a.dirfd, a.path,
                                                                               user, group, flags));
    });
}

constexpr struct timeval kOld[2] = {{1000, 0}, {2000, 0}};
constexpr struct timespec kOlder[2] = {{1000, 0}, {3000, 0}};

void times(Table* table) {
  table->path("utime", [](const Argument& a) {
    const struct utimbuf times = {1000, 4000};
    return status(libc<int(const char*, const struct utimbuf*)>("utime")(a.path, &times));
  });
  table->path("utime:now", [](const Argument& a) {
    return status(libc<int(const char*, const struct utimbuf*)>("utime")(a.path, nullptr));
  });
  for (const char* name : {"utimes", "lutimes"})
    table->path(name, [=](const Argument& a) {
      return status(libc<int(const char*, const struct timeval*)>(name)(a.path, kOld));
    });
  table->at("futimesat", [](const Argument& a) {
    return status(
        libc<int(int, const char*, const struct timeval*)>("futimesat")(a.dirfd, a.path, kOld));
  });
  for (const int flags : {0, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH})
    table->at("utimensat:" + std::to_string(flags), [=](const Argument& a) {
      return status(libc<int(int, const char*, const struct timespec*, int)>("utimensat")(
          a.dirfd, a.path, kOlder, flags));
    });
}

void sizes(Table* table) {
  for (const char* name : {"truncate", "truncate64"})
    for (const off_t size : {3, 70, -1})
      table->path(std::string(name) + ":" + std::to_string(size), [=](const Argument& a) {
        return status(libc<int(const char*, off_t)>(name)(a.path, size));
      });
}

void attributes(Table* table) {
  for (const char* name : {"setxattr", "lsetxattr"})
    for (const char* key : {"user.k", "nothing.k"})
      table->path(std::string(name) + ":" + key, [=](const Argument& a) {
        const int result = libc<int(const char*, const char*, const void*, size_t, int)>(name)(
            a.path, key, "value", 5, 0);
        const std::string said = status(result);
        char value[8] = "";
        const ssize_t size = libc<ssize_t(const char*, const char*, void*, size_t)>("getxattr")(
            a.path, key, value, sizeof value);
        return said + " " + status(size) + " " + value;
      });
  for (const char* name : {"removexattr", "lremovexattr"})
    table->path(name, [=](const Argument& a) {
      libc<int(const char*, const char*, const void*, size_t, int)>("setxattr")(a.path, "user.k",
                                                                                "value", 5, 0);
      return status(libc<int(const char*, const char*)>(name)(a.path, "user.k"));
    });
}

// Through a descriptor that cannot write.
void by_descriptor(Table* table) {
  const auto on = [table](const char* name, const std::function<int(int)>& call) {
    table->path(name, [=](const Argument& a) {
      const int fd = open(a.path, O_RDONLY | O_NONBLOCK);
      if (fd < 0) return status(fd);
      const std::string said = status(call(fd));
      return said + " " + opened(fd);
    });
  };
  on("fchmod", [](int fd) { return libc<int(int, mode_t)>("fchmod")(fd, 0711); });
  on("fchown",
     [](int fd) { return libc<int(int, uid_t, gid_t)>("fchown")(fd, getuid(), getgid()); });
  on("futimes", [](int fd) { return libc<int(int, const struct timeval*)>("futimes")(fd, kOld); });
  on("futimens",
     [](int fd) { return libc<int(int, const struct timespec*)>("futimens")(fd, kOlder); });
  on("futimesat:null", [](int fd) {
    return libc<int(int, const char*, const struct timeval*)>("futimesat")(fd, nullptr, kOld);
  });
  on("fchownat:empty", [](int fd) {
    return libc<int(int, const char*, uid_t, gid_t, int)>("fchownat")(fd, "", getuid(), getgid(),
                                                                      AT_EMPTY_PATH);
  });
}

}  // namespace

void add_changes(Table* table) {
  modes(table);
  owners(table);
  times(table);
  sizes(table);
  attributes(table);
  by_descriptor(table);
}

}  // namespace calls
