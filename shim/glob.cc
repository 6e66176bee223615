#include "shim/calls.h"

namespace wbshim {
namespace {

// glob() opens directories inside libc, where no wrapper reaches; its own hooks lead it through
// ours, and what it finds is named as the pattern was.
struct dirent* next_entry(void* dir) {
  return readdir(static_cast<DIR*>(dir));
}
struct dirent64* next_entry64(void* dir) {
  return readdir64(static_cast<DIR*>(dir));
}
void* open_dir(const char* path) {
  return open_directory(path);
}
void close_dir(void* dir) {
  close_directory(static_cast<DIR*>(dir));
}

template <typename Stat>
int look(const char* path, Stat* st) {
  return on_path(path, [=](const char* p) {
    if constexpr (requires(struct stat * s) { s = st; })
      return NEXT(stat)(p, st);
    else
      return NEXT(stat64)(p, st);
  });
}
template <typename Stat>
int look_at_link(const char* path, Stat* st) {
  return on_path(path, [=](const char* p) {
    if constexpr (requires(struct stat * s) { s = st; })
      return NEXT(lstat)(p, st);
    else
      return NEXT(lstat64)(p, st);
  });
}

}  // namespace

int glob_paths(const char* pattern, int flags, int (*error)(const char*, int), glob_t* found,
               int (*real)(const char*, int, int (*)(const char*, int), glob_t*)) {
  if (!settings.on || !found || (flags & GLOB_ALTDIRFUNC))
    return real(pattern, flags, error, found);
  found->gl_opendir = open_dir;
  found->gl_closedir = close_dir;
  found->gl_readdir = next_entry;
  found->gl_stat = look<struct stat>;
  found->gl_lstat = look_at_link<struct stat>;
  return real(pattern, flags | GLOB_ALTDIRFUNC, error, found);
}

int glob_paths(const char* pattern, int flags, int (*error)(const char*, int), glob64_t* found,
               int (*real)(const char*, int, int (*)(const char*, int), glob64_t*)) {
  if (!settings.on || !found || (flags & GLOB_ALTDIRFUNC))
    return real(pattern, flags, error, found);
  found->gl_opendir = open_dir;
  found->gl_closedir = close_dir;
  found->gl_readdir = next_entry64;
  found->gl_stat = look<struct stat64>;
  found->gl_lstat = look_at_link<struct stat64>;
  return real(pattern, flags | GLOB_ALTDIRFUNC, error, found);
}

}  // namespace wbshim
