// Files and streams.
#include <mntent.h>
#include <stdio.h>
#include <unistd.h>

#include "call.h"

namespace calls {
namespace {

struct Variant {
  const char* name;
  int flags;
};
// O_NONBLOCK: named pipes are among the paths.
constexpr Variant kVariants[] = {{"read", O_RDONLY},
                                 {"write", O_WRONLY},
                                 {"create", O_CREAT | O_RDWR},
                                 {"exclusive", O_CREAT | O_EXCL | O_RDWR},
                                 {"truncate", O_TRUNC | O_RDWR},
                                 {"read+truncate", O_TRUNC | O_RDONLY},
                                 {"append", O_CREAT | O_APPEND | O_WRONLY},
                                 {"directory", O_DIRECTORY},
                                 {"nofollow", O_NOFOLLOW},
                                 {"path", O_PATH},
                                 {"path+nofollow", O_PATH | O_NOFOLLOW},
                                 {"unnamed", O_TMPFILE | O_RDWR}};

using Open = int(const char*, int, ...);
using OpenAt = int(int, const char*, int, ...);

void plain(Table* table) {
  for (const char* name : {"open", "open64", "__open", "__open64"})
    for (const Variant& v : kVariants) {
      if (name != std::string("open") && !(v.flags & O_CREAT)) continue;
      table->path(std::string(name) + ":" + v.name, [=](const Argument& a) {
        return opened(libc<Open>(name)(a.path, v.flags | O_NONBLOCK, 0640));
      });
    }
  for (const char* name : {"openat", "openat64"})
    for (const Variant& v : kVariants) {
      if (name != std::string("openat") && !(v.flags & O_CREAT)) continue;
      table->at(std::string(name) + ":" + v.name, [=](const Argument& a) {
        return opened(libc<OpenAt>(name)(a.dirfd, a.path, v.flags | O_NONBLOCK, 0640));
      });
    }
}

void fortified(Table* table) {
  for (const char* name : {"__open_2", "__open64_2"})
    for (const int flags : {O_RDONLY, O_RDWR | O_TRUNC})
      table->path(std::string(name) + (flags ? ":write" : ":read"), [=](const Argument& a) {
        return opened(libc<int(const char*, int)>(name)(a.path, flags | O_NONBLOCK));
      });
  for (const char* name : {"__openat_2", "__openat64_2"})
    for (const int flags : {O_RDONLY, O_RDWR | O_TRUNC})
      table->at(std::string(name) + (flags ? ":write" : ":read"), [=](const Argument& a) {
        return opened(libc<int(int, const char*, int)>(name)(a.dirfd, a.path, flags | O_NONBLOCK));
      });
  for (const char* name : {"creat", "creat64"})
    table->path(name, [=](const Argument& a) {
      return opened(libc<int(const char*, mode_t)>(name)(a.path, 0604));
    });
}

using StreamOpen = FILE*(const char*, const char*);

void streams(Table* table) {
  for (const char* name : {"fopen", "fopen64", "setmntent", "__setmntent"})
    for (const char* mode : {"r", "r+", "w", "a+", "wx"})
      table->path(std::string(name) + ":" + mode, [=](const Argument& a) {
        return opened(libc<StreamOpen>(name)(a.path, mode), "fclose");
      });
  for (const char* name : {"endmntent", "__endmntent", "fclose"})
    table->path(name, [=](const Argument& a) {
      return opened(libc<StreamOpen>("fopen")(a.path, "r+"), name);
    });
  for (const char* name : {"freopen", "freopen64"})
    for (const char* mode : {"r", "w"})
      table->path(std::string(name) + ":" + mode, [=](const Argument& a) {
        FILE* first = fopen((places.root + "/d/first").c_str(), "w");
        fputs("first", first);
        return opened(libc<FILE*(const char*, const char*, FILE*)>(name)(a.path, mode, first),
                      "fclose");
      });
}

// A file without a name, then with one.
void unnamed(Table* table) {
  for (const bool by_link : {false, true})
    table->at(std::string("linkat:unnamed") + (by_link ? "+proc" : "+empty"),
              [=](const Argument& a) {
                const int fd = open((places.root + "/d").c_str(), O_TMPFILE | O_RDWR, 0600);
                if (fd < 0) return status(fd);
                if (write(fd, "unnamed", 7) != 7) return status(-1);
                const std::string link = "/proc/self/fd/" + std::to_string(fd);
                auto* linkat = libc<int(int, const char*, int, const char*, int)>("linkat");
                const int result =
                    by_link ? linkat(AT_FDCWD, link.c_str(), a.dirfd, a.path, AT_SYMLINK_FOLLOW)
                            : linkat(fd, "", a.dirfd, a.path, AT_EMPTY_PATH);
                return status(result) + " close " + status(close(fd));
              });
}

}  // namespace

void add_opens(Table* table) {
  plain(table);
  fortified(table);
  streams(table);
  unnamed(table);
}

}  // namespace calls
