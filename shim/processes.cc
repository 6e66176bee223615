// Functions of libc that start a process, or remake this one, inside libc, where no wrapper sees
// it.
#include "shim/calls.h"

namespace wbshim {

// libc's own would leave without publishing, and move standard descriptors and the working
// directory behind our back.
int become_daemon(int keep_directory, int keep_descriptors) {
  if (!settings.on) return NEXT(daemon)(keep_directory, keep_descriptors);
  pid_t pid = fork();
  if (pid < 0) return -1;
  if (pid > 0) end_process(0, [](int s) { NEXT(_exit)(s); });
  if (setsid() < 0) return -1;
  if (keep_directory == 0) static_cast<void>(change_directory("/"));
  if (keep_descriptors != 0) return 0;
  int null = sys::openat(AT_FDCWD, "/dev/null", O_RDWR);
  struct stat st {};
  if (null < 0 || sys::fstat(null, &st) != 0 || !S_ISCHR(st.st_mode)) {
    if (null >= 0) sys::close(null);
    errno = null < 0 ? -null : ENODEV;
    return -1;
  }
  for (int fd = 0; fd < 3; fd++) dup_onto(null, fd, 0, false);
  if (null > 2) sys::close(null);
  return 0;
}

int change_root(const char* path) {
  Mapped m(path);
  if (!m.ok()) return -1;
  int result = NEXT(chroot)(m.path());
  struct stat st {};
  if (result == 0 && client::active() && sys::lstat(settings.tree, &st) != 0) {
    // The staging tree is out of reach from now on: the prefix is what the new root has there.
    client::log(1, "chroot: the staging tree is not below the new root; inert in this process",
                path);
    settings.on = false;
  }
  return result;
}

}  // namespace wbshim
