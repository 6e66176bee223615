// What makes, moves and removes names. Where there are two paths, one of them stays as it is.
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "call.h"

namespace calls {
namespace {

using Two = int(const char*, const char*);
using FourAt = int(int, const char*, int, const char*);

std::string in_root(const char* name) {
  return places.root + "/" + name;
}

void made(Table* table) {
  table->path("mkdir", [](const Argument& a) {
    return status(libc<int(const char*, mode_t)>("mkdir")(a.path, 0751));
  });
  table->at("mkdirat", [](const Argument& a) {
    return status(libc<int(int, const char*, mode_t)>("mkdirat")(a.dirfd, a.path, 0700));
  });
  table->path("mkfifo", [](const Argument& a) {
    return status(libc<int(const char*, mode_t)>("mkfifo")(a.path, 0640));
  });
  table->at("mkfifoat", [](const Argument& a) {
    return status(libc<int(int, const char*, mode_t)>("mkfifoat")(a.dirfd, a.path, 0640));
  });
  for (const mode_t type : {mode_t{S_IFREG}, mode_t{S_IFIFO}, mode_t{S_IFDIR}}) {
    const std::string variant = ":" + std::to_string(type);
    table->path("mknod" + variant, [=](const Argument& a) {
      return status(libc<int(const char*, mode_t, dev_t)>("mknod")(a.path, type | 0644, 0));
    });
    table->at("mknodat" + variant, [=](const Argument& a) {
      return status(
          libc<int(int, const char*, mode_t, dev_t)>("mknodat")(a.dirfd, a.path, type | 0644, 0));
    });
    table->path("__xmknod" + variant, [=](const Argument& a) {
      dev_t dev = 0;
      return status(
          libc<int(int, const char*, mode_t, dev_t*)>("__xmknod")(0, a.path, type | 0644, &dev));
    });
    table->at("__xmknodat" + variant, [=](const Argument& a) {
      dev_t dev = 0;
      return status(libc<int(int, int, const char*, mode_t, dev_t*)>("__xmknodat")(
          0, a.dirfd, a.path, type | 0644, &dev));
    });
  }
}

void removed(Table* table) {
  for (const char* name : {"unlink", "rmdir", "remove"})
    table->path(name,
                [=](const Argument& a) { return status(libc<int(const char*)>(name)(a.path)); });
  for (const int flags : {0, AT_REMOVEDIR})
    table->at("unlinkat:" + std::to_string(flags), [=](const Argument& a) {
      return status(libc<int(int, const char*, int)>("unlinkat")(a.dirfd, a.path, flags));
    });
}

void moved(Table* table) {
  for (const char* other : {"new", "f", "d", "n", "lf", "d/new"}) {
    const std::string variant = other;
    table->path("rename:to " + variant, [=](const Argument& a) {
      return status(libc<Two>("rename")(a.path, in_root(other).c_str()));
    });
    table->path("rename:from " + variant, [=](const Argument& a) {
      return status(libc<Two>("rename")(in_root(other).c_str(), a.path));
    });
  }
  for (const char* other : {"new", "n/with"}) {
    table->at("renameat:to " + std::string(other), [=](const Argument& a) {
      return status(libc<FourAt>("renameat")(a.dirfd, a.path, AT_FDCWD, in_root(other).c_str()));
    });
    table->at("renameat:from " + std::string(other), [=](const Argument& a) {
      return status(libc<FourAt>("renameat")(AT_FDCWD, in_root(other).c_str(), a.dirfd, a.path));
    });
  }
  using RenameFlags = int(int, const char*, int, const char*, unsigned);
  for (const unsigned flags : {0U, static_cast<unsigned>(RENAME_NOREPLACE),
                               static_cast<unsigned>(RENAME_EXCHANGE), 3U, 64U}) {
    table->at("renameat2:to f+" + std::to_string(flags), [=](const Argument& a) {
      return status(
          libc<RenameFlags>("renameat2")(a.dirfd, a.path, AT_FDCWD, in_root("f").c_str(), flags));
    });
    table->at("renameat2:from n+" + std::to_string(flags), [=](const Argument& a) {
      return status(
          libc<RenameFlags>("renameat2")(AT_FDCWD, in_root("n").c_str(), a.dirfd, a.path, flags));
    });
  }
}

void linked(Table* table) {
  for (const char* other : {"new", "f", "lf"}) {
    const std::string variant = other;
    table->path("link:to " + variant, [=](const Argument& a) {
      return status(libc<Two>("link")(a.path, in_root(other).c_str()));
    });
    table->path("link:from " + variant, [=](const Argument& a) {
      return status(libc<Two>("link")(in_root(other).c_str(), a.path));
    });
  }
  using LinkAt = int(int, const char*, int, const char*, int);
  for (const int flags : {0, AT_SYMLINK_FOLLOW, AT_EMPTY_PATH}) {
    table->at("linkat:to new+" + std::to_string(flags), [=](const Argument& a) {
      return status(
          libc<LinkAt>("linkat")(a.dirfd, a.path, AT_FDCWD, in_root("new").c_str(), flags));
    });
    table->at("linkat:from lf+" + std::to_string(flags), [=](const Argument& a) {
      return status(
          libc<LinkAt>("linkat")(AT_FDCWD, in_root("lf").c_str(), a.dirfd, a.path, flags));
    });
  }
}

// The link and what it leads to.
std::string followed(int result, int dirfd, const char* path) {
  if (result != 0) return status(result);
  char to[5000];
  const ssize_t size = readlinkat(dirfd, path, to, sizeof to);
  struct stat own {
  }, target{};
  const int look = fstatat(dirfd, path, &own, AT_SYMLINK_NOFOLLOW);
  const int through = fstatat(dirfd, path, &target, 0);
  return status(size) + " " + (size < 0 ? "" : escaped({to, static_cast<size_t>(size)})) + " " +
         status(look) + " " + describe(own) + " leads " + status(through) + " " +
         (through == 0 ? describe(target) : "");
}

void symbolic(Table* table) {
  for (const char* target : {"f", "n/with", "", "missing/x"}) {
    table->path("symlink:" + std::string(target), [=](const Argument& a) {
      return followed(libc<Two>("symlink")(target, a.path), AT_FDCWD, a.path);
    });
    table->at("symlinkat:" + std::string(target), [=](const Argument& a) {
      return followed(
          libc<int(const char*, int, const char*)>("symlinkat")(target, a.dirfd, a.path), a.dirfd,
          a.path);
    });
  }
  for (const char* tail : {"/n", "", "/", "x"})
    table->path("symlink:root" + std::string(tail), [=](const Argument& a) {
      return followed(libc<Two>("symlink")((places.root + tail).c_str(), a.path), AT_FDCWD, a.path);
    });
  table->path("symlink:to it", [](const Argument& a) {
    const std::string name = in_root("new");
    return followed(libc<Two>("symlink")(a.path, name.c_str()), AT_FDCWD, name.c_str());
  });
  table->path("symlink:to it from outside", [](const Argument& a) {
    const std::string name = places.outside + "/new";
    return followed(libc<Two>("symlink")(a.path, name.c_str()), AT_FDCWD, name.c_str());
  });
}

}  // namespace

void add_names(Table* table) {
  made(table);
  removed(table);
  moved(table);
  linked(table);
  symbolic(table);
}

}  // namespace calls
