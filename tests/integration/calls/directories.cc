// Directories, the working directory, canonical names.
#include <dirent.h>
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>

#include "call.h"

namespace calls {
namespace {

std::string sorted(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  std::string all;
  for (const std::string& name : names) all += " " + escaped(name);
  return all;
}

std::string listing(int count, struct dirent** list) {
  const std::string result = status(count);
  std::vector<std::string> names;
  for (int i = 0; i < count; i++) {
    names.push_back(list[i]->d_name + std::string(":") + std::to_string(list[i]->d_type));
    free(list[i]);
  }
  if (count >= 0) free(list);
  return result + sorted(names);
}

std::string read_through(DIR* dir, const char* close) {
  if (!dir) return "null " + status(-1);
  std::vector<std::string> names;
  while (const struct dirent* entry = readdir(dir)) names.push_back(entry->d_name);
  const std::string where = process_link("fd/" + std::to_string(dirfd(dir)));
  return where + sorted(names) + " close " + status(libc<int(DIR*)>(close)(dir));
}

void readers(Table* table) {
  for (const char* name : {"opendir", "closedir"})
    table->path(name, [](const Argument& a) {
      return read_through(libc<DIR*(const char*)>("opendir")(a.path), "closedir");
    });
  using Filter = int (*)(const struct dirent*);
  using Order = int (*)(const struct dirent**, const struct dirent**);
  for (const char* name : {"scandir", "scandir64"})
    table->path(name, [=](const Argument& a) {
      struct dirent** list = nullptr;
      const int count = libc<int(const char*, struct dirent***, Filter, Order)>(name)(
          a.path, &list, nullptr, alphasort);
      return listing(count, list);
    });
  for (const char* name : {"scandirat", "scandirat64"})
    table->at(name, [=](const Argument& a) {
      struct dirent** list = nullptr;
      auto* call = libc<int(int, const char*, struct dirent***, Filter, Order)>(name);
      const int count = call(a.dirfd, a.path, &list, nullptr, alphasort);
      return listing(count, list);
    });
}

std::string matches(const char* name, const std::string& pattern, int flags) {
  glob_t found{};
  const int result = libc<int(const char*, int, int (*)(const char*, int), glob_t*)>(name)(
      pattern.c_str(), flags, nullptr, &found);
  std::string all = std::to_string(result);
  for (size_t i = 0; i < found.gl_pathc; i++) all += " " + escaped(found.gl_pathv[i]);
  globfree(&found);
  return all;
}

void patterns(Table* table) {
  for (const char* name : {"glob", "glob64"})
    for (const char* tail : {"", "*", "/*", "/*/*"})
      for (const int flags : {0, GLOB_MARK | GLOB_NOCHECK})
        table->path(
            std::string(name) + ":" + tail + "+" + std::to_string(flags), [=](const Argument& a) {
              return a.path ? matches(name, a.path + std::string(tail), flags) : "no pattern";
            });
}

std::string whereabouts() {
  char to[5000];
  return text(getcwd(to, sizeof to)) + " " + process_link("cwd");
}

void working_directory(Table* table) {
  table->path("chdir", [](const Argument& a) {
    const int result = libc<int(const char*)>("chdir")(a.path);
    return status(result) + " " + whereabouts();
  });
  table->path("fchdir", [](const Argument& a) {
    const int fd = open(a.path, O_RDONLY | O_NONBLOCK);
    if (fd < 0) return status(fd);
    const int result = libc<int(int)>("fchdir")(fd);
    return status(result) + " " + whereabouts() + status(close(fd));
  });
  table->path("chroot", [](const Argument& a) {
    return in_child([&] {
      const int result = libc<int(const char*)>("chroot")(a.path);
      return status(result) + " " + status(result == 0 ? chdir("/") : 0) + " " +
             status(access("/f", F_OK));
    });
  });
}

// The working directory is the argument; what does the function say?
void where(Table* table, const std::string& name, const std::function<char*(char*)>& ask) {
  table->path(name, [=](const Argument& a) {
    if (chdir(a.path) != 0) return status(-1);
    std::string to(PATH_MAX + 1, '~');
    errno = 0;
    const char* found = ask(to.data());
    return found ? text(found) : "null " + status(-1);
  });
}

void names_of_it(Table* table) {
  for (const size_t size : {size_t{4096}, size_t{9}, size_t{1}, size_t{0}}) {
    where(table, "getcwd:" + std::to_string(size),
          [=](char* to) { return libc<char*(char*, size_t)>("getcwd")(to, size); });
    where(table, "getcwd:allocated+" + std::to_string(size),
          [=](char*) { return libc<char*(char*, size_t)>("getcwd")(nullptr, size); });
    where(table, "__getcwd_chk:" + std::to_string(size), [=](char* to) {
      return libc<char*(char*, size_t, size_t)>("__getcwd_chk")(to, size, PATH_MAX);
    });
  }
  where(table, "get_current_dir_name",
        [](char*) { return libc<char*()>("get_current_dir_name")(); });
  where(table, "getwd", [](char* to) { return libc<char*(char*)>("getwd")(to); });
  where(table, "__getwd_chk",
        [](char* to) { return libc<char*(char*, size_t)>("__getwd_chk")(to, PATH_MAX); });
}

void canonical(Table* table) {
  const auto said = [](const char* found) { return found ? text(found) : "null " + status(-1); };
  table->path("realpath", [=](const Argument& a) {
    std::string to(PATH_MAX + 1, '~');
    return said(libc<char*(const char*, char*)>("realpath")(a.path, to.data()));
  });
  table->path("realpath:allocated", [=](const Argument& a) {
    return said(libc<char*(const char*, char*)>("realpath")(a.path, nullptr));
  });
  table->path("__realpath_chk", [=](const Argument& a) {
    std::string to(PATH_MAX + 1, '~');
    return said(
        libc<char*(const char*, char*, size_t)>("__realpath_chk")(a.path, to.data(), PATH_MAX));
  });
  table->path("canonicalize_file_name", [=](const Argument& a) {
    return said(libc<char*(const char*)>("canonicalize_file_name")(a.path));
  });
}

}  // namespace

void add_directories(Table* table) {
  readers(table);
  patterns(table);
  working_directory(table);
  names_of_it(table);
  canonical(table);
}

}  // namespace calls
