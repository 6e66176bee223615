// What only looks: status, permissions, links, attributes.
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "call.h"

namespace calls {
namespace {

std::string said(int result, const struct stat& st) {
  return result == 0 ? describe(st) : status(result);
}

void statuses(Table* table) {
  for (const char* name : {"stat", "stat64", "lstat", "lstat64"})
    table->path(name, [=](const Argument& a) {
      struct stat st {};
      return said(libc<int(const char*, struct stat*)>(name)(a.path, &st), st);
    });
  for (const char* name : {"__xstat", "__xstat64", "__lxstat", "__lxstat64"})
    table->path(name, [=](const Argument& a) {
      struct stat st {};
      return said(libc<int(int, const char*, struct stat*)>(name)(1, a.path, &st), st);
    });
  for (const int flags :
       {0, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW}) {
    const std::string variant = ":" + std::to_string(flags);
    for (const char* name : {"fstatat", "fstatat64"})
      table->at(name + variant, [=](const Argument& a) {
        struct stat st {};
        return said(
            libc<int(int, const char*, struct stat*, int)>(name)(a.dirfd, a.path, &st, flags), st);
      });
    for (const char* name : {"__fxstatat", "__fxstatat64"})
      table->at(name + variant, [=](const Argument& a) {
        struct stat st {};
        return said(libc<int(int, int, const char*, struct stat*, int)>(name)(1, a.dirfd, a.path,
                                                                              &st, flags),
                    st);
      });
    table->at("statx" + variant, [=](const Argument& a) {
      struct statx st {};
      const int result = libc<int(int, const char*, int, unsigned, struct statx*)>("statx")(
          a.dirfd, a.path, flags, STATX_BASIC_STATS, &st);
      struct stat same {};
      same.st_mode = st.stx_mode;
      same.st_size = static_cast<off_t>(st.stx_size);
      same.st_nlink = st.stx_nlink;
      same.st_uid = st.stx_uid;
      same.st_gid = st.stx_gid;
      same.st_mtime = st.stx_mtime.tv_sec;
      return said(result, same);
    });
  }
}

void file_systems(Table* table) {
  for (const char* name : {"statfs", "statfs64"})
    table->path(name, [=](const Argument& a) {
      struct statfs st {};
      const int result = libc<int(const char*, struct statfs*)>(name)(a.path, &st);
      return status(result) + " " + std::to_string(st.f_type) + " " + std::to_string(st.f_namelen);
    });
  for (const char* name : {"statvfs", "statvfs64"})
    table->path(name, [=](const Argument& a) {
      struct statvfs st {};
      const int result = libc<int(const char*, struct statvfs*)>(name)(a.path, &st);
      return status(result) + " " + std::to_string(st.f_namemax) + " " + std::to_string(st.f_bsize);
    });
  for (const int what : {_PC_NAME_MAX, _PC_LINK_MAX, _PC_PATH_MAX, _PC_2_SYMLINKS})
    table->path("pathconf:" + std::to_string(what), [=](const Argument& a) {
      errno = 0;
      return status(libc<long(const char*, int)>("pathconf")(a.path, what));
    });
}

void permissions(Table* table) {
  for (const int mode : {F_OK, R_OK | W_OK, X_OK}) {
    const std::string variant = ":" + std::to_string(mode);
    for (const char* name : {"access", "euidaccess", "eaccess"})
      table->path(name + variant, [=](const Argument& a) {
        return status(libc<int(const char*, int)>(name)(a.path, mode));
      });
    for (const int flags : {0, AT_EACCESS, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH})
      table->at("faccessat" + variant + "+" + std::to_string(flags), [=](const Argument& a) {
        return status(
            libc<int(int, const char*, int, int)>("faccessat")(a.dirfd, a.path, mode, flags));
      });
  }
}

std::string link_text(ssize_t size, const char* to, size_t room) {
  if (size < 0) return status(size);
  return status(size) + " \"" + escaped({to, std::min(static_cast<size_t>(size), room)}) +
         "\" then " + escaped({to + size, 2});
}

void links(Table* table) {
  for (const size_t room : {size_t{4096}, size_t{7}, size_t{0}}) {
    const std::string variant = ":" + std::to_string(room);
    table->path("readlink" + variant, [=](const Argument& a) {
      std::string to(5000, '~');
      return link_text(
          libc<ssize_t(const char*, char*, size_t)>("readlink")(a.path, to.data(), room), to.data(),
          room);
    });
    table->path("__readlink_chk" + variant, [=](const Argument& a) {
      std::string to(5000, '~');
      auto* call = libc<ssize_t(const char*, char*, size_t, size_t)>("__readlink_chk");
      return link_text(call(a.path, to.data(), room, 4999), to.data(), room);
    });
    table->at("readlinkat" + variant, [=](const Argument& a) {
      std::string to(5000, '~');
      auto* call = libc<ssize_t(int, const char*, char*, size_t)>("readlinkat");
      return link_text(call(a.dirfd, a.path, to.data(), room), to.data(), room);
    });
    table->at("__readlinkat_chk" + variant, [=](const Argument& a) {
      std::string to(5000, '~');
      auto* call = libc<ssize_t(int, const char*, char*, size_t, size_t)>("__readlinkat_chk");
      return link_text(call(a.dirfd, a.path, to.data(), room, 4999), to.data(), room);
    });
  }
}

void attributes(Table* table) {
  for (const char* name : {"getxattr", "lgetxattr"})
    table->path(name, [=](const Argument& a) {
      char value[64] = "";
      const ssize_t size = libc<ssize_t(const char*, const char*, void*, size_t)>(name)(
          a.path, "user.k", value, sizeof value - 1);
      return status(size) + " " + value;
    });
  for (const char* name : {"listxattr", "llistxattr"})
    table->path(name, [=](const Argument& a) {
      char list[256] = "";
      const ssize_t size =
          libc<ssize_t(const char*, char*, size_t)>(name)(a.path, list, sizeof list);
      return status(size) + " " + escaped(list);
    });
}

}  // namespace

void add_looks(Table* table) {
  statuses(table);
  file_systems(table);
  permissions(table);
  links(table);
  attributes(table);
}

}  // namespace calls
